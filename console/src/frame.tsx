import { useQueryClient } from '@tanstack/react-query';
import { Suspense } from 'react';
import { Link, NavLink, Outlet, ScrollRestoration, useNavigate } from 'react-router';
import { api } from './api.ts';
import { RequireSession, useSession } from './session.tsx';

const places = [
  ['/runs', 'Runs'],
  ['/jobs', 'Jobs'],
  ['/projects', 'Projects'],
  ['/orchestration', 'Orchestration'],
  ['/settings', 'Settings'],
] as const;

/** What stands around every page of whoever is signed in. */
export function Frame() {
  return (
    <RequireSession>
      <a className="skip" href="#page">
        Skip to content
      </a>
      <div className="frame">
        <header className="bar">
          <NavLink to="/runs" className="brand">
            dctl
          </NavLink>
          <nav aria-label="Main">
            {places.map(([to, name]) => (
              <NavLink key={to} to={to}>
                {name}
              </NavLink>
            ))}
          </nav>
          <Account />
        </header>
        <main id="page" tabIndex={-1}>
          <Suspense>
            <Outlet />
          </Suspense>
        </main>
        <ScrollRestoration />
      </div>
    </RequireSession>
  );
}

function Account() {
  const { session, organization, switchTo } = useSession();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const signOut = async () => {
    await api().call('signOut');
    queries.clear();
    await navigate('/sign-in');
  };
  return (
    <div className="account">
      {session.organizations.length > 1 ? (
        <select
          aria-label="Organization"
          value={organization.id}
          onChange={({ target }) => {
            switchTo(target.value);
            void navigate('/runs');
          }}
        >
          {session.organizations.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      ) : (
        <span>{organization.name}</span>
      )}
      <Link className="quiet" to="/settings/authentication/account">
        {session.user.email}
      </Link>
      <button type="button" onClick={() => void signOut()}>
        Sign out
      </button>
    </div>
  );
}
