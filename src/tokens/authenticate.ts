import { callerNetwork } from '../addresses.ts';
import { shared } from '../batches.ts';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { openLimit } from '../http/rate-limits.ts';
import { findLiveToken, noteTokenUse, replaceTokenHash, type LiveToken } from './store.ts';
import { isWellFormedToken } from './token.ts';

/** Wrong tokens that an address may send in a minute before it is told to slow down. */
const wrongTokensPerMinute = 100;

/**
 * Tells the principal behind `Authorization: Bearer dctl_...`, by the token's keyed hash. Requests that come at the same
 * time share a look-up, which begins after each of them came: a revoked token is refused by every process from its next
 * request on. Every way a token can be wrong answers the same 401; an address that sends many of them is answered 429,
 * while a valid token is never held up.
 */
export function tokenAuthentication(
  context: Context,
): (authorization: string | undefined, address: string) => Promise<Principal> {
  const { pool, secrets } = context;
  const wrong = openLimit(wrongTokensPerMinute);
  const look = shared((token: string) => findLiveToken(pool, secrets.fingerprints(token)));
  const noteUse = useNotes(context);

  async function refuse(address: string): Promise<never> {
    context.metrics.failedAuthentications.inc({ with: 'token' });
    const { isOver, headers, resetSeconds } = await wrong.count(callerNetwork(address));
    if (!isOver) {
      const detail = 'This API token is not valid: it is mistyped, expired or revoked.';
      throw new AppError('unauthenticated', detail, { headers });
    }
    const detail =
      'Too many requests with tokens that are not valid came from this address. Correct the token.';
    throw new AppError('too_many_requests', detail, { headers, retryAfterSeconds: resetSeconds });
  }

  return async (authorization, address) => {
    const [scheme, token, ...more] = (authorization ?? '').trim().split(/ +/);
    if (token === undefined || more.length > 0 || !/^(bearer|token|api-key)$/i.test(scheme ?? '')) {
      throw new AppError(
        'unauthenticated',
        'Send the header "Authorization: Bearer dctl_..." with an API token.',
      );
    }
    const found = isWellFormedToken(token) ? await look(token, token) : undefined;
    if (found === undefined) return refuse(address);
    noteUse(token, found);
    return {
      organizationId: found.organizationId,
      scope: found.scope,
      actor: { kind: 'token', id: found.id, name: found.name, address },
    };
  };
}

/**
 * Notes that a token is used, and renews a hash that was made with an older key. Nobody waits for it, and most uses
 * write nothing.
 */
function useNotes({ db, secrets, log }: Context): (token: string, found: LiveToken) => void {
  const underWay = new Set<string>();
  return (token, found) => {
    const isOfOldKey = found.keyId !== secrets.keyId;
    if ((!found.isUseDue && !isOfOldKey) || underWay.has(found.id)) return;
    underWay.add(found.id);
    const renewed = { hash: secrets.fingerprint(token), keyId: secrets.keyId };
    Promise.all([
      found.isUseDue ? noteTokenUse(db, found.id) : undefined,
      isOfOldKey ? replaceTokenHash(db, found, renewed) : undefined,
    ])
      .catch((error: unknown) => log.warn({ error, token_id: found.id }, 'the use of a token was not noted'))
      .finally(() => underWay.delete(found.id));
  };
}
