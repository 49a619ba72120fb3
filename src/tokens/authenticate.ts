import type { Context, Principal, Scope } from '../context.ts';
import { AppError } from '../errors.ts';
import { findTokenByHash } from './store.ts';
import { isWellFormedToken } from './token.ts';

/**
 * The principal behind a request's `Authorization: Bearer dctl_...` and `X-Organization-ID` headers: one indexed
 * look-up by the token's keyed hash. Every way a token can be wrong answers the same 401.
 */
export async function authenticate(
  { db, secrets }: Context,
  headers: { authorization: string | undefined; organizationId: string | undefined },
): Promise<Principal> {
  const [scheme, token, ...more] = (headers.authorization ?? '').trim().split(/ +/);
  if (token === undefined || more.length > 0 || !/^(bearer|token)$/i.test(scheme ?? '')) {
    throw new AppError(
      'unauthenticated',
      'Send the header "Authorization: Bearer dctl_..." with an API token.',
    );
  }
  const found = isWellFormedToken(token) ? await findTokenByHash(db, secrets.fingerprint(token)) : null;
  if (
    found === null ||
    found.revokedAt !== null ||
    (found.expiresAt !== null && found.expiresAt <= new Date())
  ) {
    throw new AppError('unauthenticated', 'This API token is not valid: it is mistyped, expired or revoked.');
  }
  if (headers.organizationId !== undefined && headers.organizationId !== found.organizationId) {
    throw new AppError(
      'forbidden',
      "X-Organization-ID is not this token's organization: correct it or leave it out.",
    );
  }
  return {
    organizationId: found.organizationId,
    scope: found.scope as Scope,
    actor: { kind: 'token', id: found.id, name: found.name },
  };
}
