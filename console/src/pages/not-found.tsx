import { Link, useRouteError } from 'react-router';
import { Problem } from '../parts/problem.tsx';

export function NotFound() {
  return (
    <>
      <h1>Nothing here</h1>
      <p>
        There is no page at this address. <Link to="/runs">All runs</Link>
      </p>
    </>
  );
}

/** In place of a page that could not be shown. */
export function PageError() {
  return <Problem error={useRouteError()} again={() => location.reload()} />;
}
