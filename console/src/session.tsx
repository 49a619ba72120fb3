import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, type ReactNode } from 'react';
import { Navigate, useLocation } from 'react-router';
import { DctlClient, DctlError } from '../../client/client.ts';
import type { Session } from '../../client/operations.ts';
import { chooseOrganization, chosenOrganization } from './api.ts';
import { Problem } from './parts/problem.tsx';

type Role = 'viewer' | 'operator' | 'admin';

interface SignedIn {
  session: Session;
  organization: Session['organizations'][number];
  /** Whether the user's role in the organization is this one or a higher one. */
  may(role: Role): boolean;
  /** From here on the console is about another organization. */
  switchTo(organizationId: string): void;
}

const roles: Role[] = ['viewer', 'operator', 'admin'];
const Signed = createContext<SignedIn | null>(null);

export function useSession(): SignedIn {
  const signedIn = useContext(Signed);
  if (signedIn === null) throw new Error('nobody is signed in here');
  return signedIn;
}

/** Shows its content to whoever is signed in; everybody else signs in first and then comes back. */
export function RequireSession({ children }: { children: ReactNode }) {
  const location = useLocation();
  const queries = useQueryClient();
  const { data: session, error } = useQuery({
    queryKey: ['session'],
    queryFn: ({ signal }) => new DctlClient().call('getSession', {}, { signal }),
    staleTime: 60_000,
    retry: false,
  });
  const organization =
    session?.organizations.find(({ id }) => id === chosenOrganization()) ?? session?.organizations[0];
  useEffect(() => {
    if (organization !== undefined) chooseOrganization(organization.id);
  }, [organization]);

  if (error instanceof DctlError && error.status === 401)
    return <Navigate to="/sign-in" replace state={{ from: location.pathname + location.search }} />;
  if (error !== null) return <Problem error={error} />;
  if (session === undefined) return null;
  if (organization === undefined)
    return (
      <Problem error={new Error('You are not a member of any organization. Ask an admin to invite you.')} />
    );
  if (chosenOrganization() !== organization.id) chooseOrganization(organization.id);

  const value: SignedIn = {
    session,
    organization,
    may: (role) => roles.indexOf(organization.role) >= roles.indexOf(role),
    switchTo(organizationId) {
      chooseOrganization(organizationId);
      queries.clear();
    },
  };
  return <Signed value={value}>{children}</Signed>;
}
