import type { Scope } from '../scopes.ts';
import type { Transaction } from '../db.ts';
import type { Secrets } from '../secrets.ts';
import { insertToken } from './store.ts';
import { newToken } from './token.ts';

/** Makes a token. Its text is told here and stored nowhere: only a keyed hash is. */
export async function createToken(
  tx: Transaction,
  secrets: Secrets,
  wanted: { organizationId: string; name: string; scope: Scope; createdBy: string; expiresAt?: Date | null },
) {
  const token = newToken();
  const stored = await insertToken(tx, {
    ...wanted,
    expiresAt: wanted.expiresAt ?? null,
    hash: secrets.fingerprint(token),
    keyId: secrets.keyId,
    prefix: token.slice(0, 12),
    lastFour: token.slice(-4),
  });
  return { token, stored };
}
