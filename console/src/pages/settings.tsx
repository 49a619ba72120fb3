import { NavLink, Outlet } from 'react-router';
import { useSession } from '../session.tsx';

/** Of whoever is signed in, and of the organization. */
export function Settings() {
  const { may, organization } = useSession();
  return (
    <>
      <h1>Settings</h1>
      <div className="settings">
        <nav aria-label="Settings">
          <h2>Authentication</h2>
          <NavLink to="authentication/account">Account</NavLink>
          {may('admin') && <NavLink to="authentication/api-tokens">API Tokens</NavLink>}
          <h2>{organization.name}</h2>
          <NavLink to="organization">Organization</NavLink>
          {may('admin') && (
            <>
              <NavLink to="users">Users</NavLink>
              <NavLink to="audit">Audit log</NavLink>
            </>
          )}
        </nav>
        <div>
          <Outlet />
        </div>
      </div>
    </>
  );
}
