import type { Scope } from '../context.ts';
import type { Transaction } from '../db.ts';
import type { Secrets } from '../secrets.ts';
import { insertToken } from './store.ts';
import { newToken } from './token.ts';

/** Makes a token and returns its text, which is stored nowhere: only a keyed hash is. */
export async function createToken(
  tx: Transaction,
  secrets: Secrets,
  wanted: { organizationId: string; name: string; scope: Scope },
): Promise<string> {
  const token = newToken();
  await insertToken(tx, {
    ...wanted,
    hash: secrets.fingerprint(token),
    prefix: token.slice(0, 12),
    lastFour: token.slice(-4),
  });
  return token;
}
