import type { Context, Principal, SignedInUser } from '../context.ts';
import { scopeOfRole } from '../scopes.ts';
import { AppError, invalidField } from '../errors.ts';
import type { Authentication, Visit } from '../http/serve-routes.ts';
import { tokenAuthentication } from '../tokens/authenticate.ts';
import { findUserWithMemberships } from '../users/store.ts';
import { readCookie, requireOwnOrigin } from './cookie.ts';
import { readSession } from './session-token.ts';
import { signedIn } from './signed-in.ts';

/** Tells who is asking: by the API token in `Authorization`, else by the session in the cookie. */
export function openAuthentication(context: Context): Authentication {
  const principalOfToken = tokenAuthentication(context);

  return {
    async callerOf(visit) {
      const authorization = visit.header('authorization');
      const session = readCookie(visit.header('cookie'));
      if (authorization === undefined && session !== undefined)
        return { kind: 'user', user: await signedInUser(context, session, visit) };
      const principal = await principalOfToken(authorization, visit.address);
      const wanted = visit.header('x-organization-id');
      if (wanted !== undefined && wanted !== principal.organizationId)
        throw notYours("X-Organization-ID is not this token's organization: correct it or leave it out.");
      return { kind: 'token', principal };
    },
    principalOf: (caller, visit) =>
      caller.kind === 'token' ? caller.principal : principalOfUser(caller.user, visit),
  };
}

/** The user as they are now: neither their roles nor the end of their sessions wait for the cookie to expire. */
async function signedInUser(
  { db, secrets, config }: Context,
  token: string,
  { method, header }: Visit,
): Promise<SignedInUser> {
  if (method !== 'GET' && method !== 'HEAD') requireOwnOrigin(header, config.DCTL_PUBLIC_URL);
  const session = readSession(secrets, token);
  const user = session && (await findUserWithMemberships(db, session.userId));
  if (!user || user.sessionVersion !== session.sessionVersion)
    throw new AppError('unauthenticated', 'This session is over. Sign in again.');
  return signedIn(user, session.expiresAt);
}

/** In the organization that X-Organization-ID or the address names, or in their only one. */
function principalOfUser(user: SignedInUser, { header, params, address }: Visit): Principal {
  const { memberships } = user;
  const wanted = header('x-organization-id');
  const named = memberships.find(
    ({ organizationId }) => organizationId === (wanted ?? params['organization_id']),
  );
  if (wanted !== undefined && named === undefined)
    throw notYours(
      'X-Organization-ID names no organization that you belong to: GET /api/v1/session lists yours.',
    );
  const chosen = named ?? memberships[0];
  if (chosen === undefined) throw notYours('You belong to no organization: ask an admin of one to add you.');
  if (named === undefined && memberships.length > 1) {
    const detail =
      'Send X-Organization-ID: you belong to several organizations (GET /api/v1/session lists them).';
    throw invalidField('header.X-Organization-ID', detail);
  }
  return {
    organizationId: chosen.organizationId,
    scope: scopeOfRole[chosen.role],
    actor: { kind: 'user', id: user.id, name: user.email, address },
  };
}

function notYours(detail: string): AppError {
  return new AppError('forbidden', detail);
}
