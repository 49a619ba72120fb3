import type { ReactNode } from 'react';
import { Link } from 'react-router';

/** A page's name, the way up from it, and what can be done here. */
export function PageHead({
  title,
  trail = [],
  beside,
  children,
}: {
  title: string;
  trail?: [to: string, name: string][];
  beside?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <div className="page-head">
      <title>{`${title} · dctl`}</title>
      {trail.length > 0 && (
        <nav className="trail" aria-label="Breadcrumb">
          {trail.map(([to, name]) => (
            <Link key={to} to={to}>
              {name}
            </Link>
          ))}
        </nav>
      )}
      <h1>
        {title} {beside}
      </h1>
      <div className="actions">{children}</div>
    </div>
  );
}
