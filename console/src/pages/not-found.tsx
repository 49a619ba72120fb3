import { Link, useRouteError } from 'react-router';
import { Problem } from '../parts/problem.tsx';

export function NotFound() {
  return (
    <>
      <h1>Page not found</h1>
      <p>
        This page does not exist. <Link to="/runs">Go to runs</Link>
      </p>
    </>
  );
}

/** In place of a page that could not be shown. */
export function PageError() {
  return <Problem error={useRouteError()} again={() => location.reload()} />;
}
