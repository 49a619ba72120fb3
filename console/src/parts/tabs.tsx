import { NavLink } from 'react-router';

/** The parts of a page, each at an address of its own. */
export function Tabs({ label, places }: { label: string; places: [to: string, name: string][] }) {
  return (
    <nav className="tabs" aria-label={label}>
      {places.map(([to, name]) => (
        <NavLink key={to} to={to} end preventScrollReset>
          {name}
        </NavLink>
      ))}
    </nav>
  );
}
