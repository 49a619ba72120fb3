import type { SignedInUser } from '../context.ts';
import type { Role } from '../scopes.ts';
import type { findUserWithMemberships } from '../users/store.ts';

/** The user behind a session. */
export function signedIn(
  user: NonNullable<Awaited<ReturnType<typeof findUserWithMemberships>>>,
  sessionExpiresAt: Date,
): SignedInUser {
  return {
    id: user.id,
    email: user.email,
    isServerAdmin: user.isServerAdmin,
    sessionExpiresAt,
    memberships: user.memberships.map(({ organizationId, organization, role }) => ({
      organizationId,
      organizationName: organization.name,
      role: role as Role,
    })),
  };
}
