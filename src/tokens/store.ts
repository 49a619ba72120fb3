import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Scope } from '../scopes.ts';
import { statement, type Database, type Transaction } from '../db.ts';
import { olderThan, type Position } from '../paging.ts';

export interface NewStoredToken {
  organizationId: string;
  name: string;
  scope: Scope;
  hash: Buffer;
  keyId: string;
  prefix: string;
  lastFour: string;
  expiresAt: Date | null;
  createdBy: string | null;
}

const shown = {
  id: true,
  name: true,
  scope: true,
  prefix: true,
  lastFour: true,
  createdBy: true,
  createdAt: true,
  expiresAt: true,
  lastUsedAt: true,
  revokedAt: true,
} as const;

export function insertToken(db: Database | Transaction, token: NewStoredToken) {
  return db.apiToken.create({
    data: { id: randomUUID(), ...token, hash: new Uint8Array(token.hash) },
    select: shown,
  });
}

export function findToken(db: Database | Transaction, organizationId: string, id: string) {
  return db.apiToken.findFirst({ where: { organizationId, id }, select: shown });
}

export function listTokens(
  db: Database,
  organizationId: string,
  options: { after: Position | undefined; limit: number; withDead: boolean },
) {
  const isLive = { revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] };
  return db.apiToken.findMany({
    where: { AND: [{ organizationId }, olderThan(options.after), options.withDead ? {} : isLive] },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: options.limit,
    select: shown,
  });
}

/** False when it was revoked before. */
export async function markTokenRevoked(tx: Transaction, id: string): Promise<boolean> {
  const { count } = await tx.apiToken.updateMany({
    where: { id, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  return count === 1;
}

export interface LiveToken {
  id: string;
  organizationId: string;
  name: string;
  scope: Scope;
  hash: Uint8Array<ArrayBuffer>;
  keyId: string | null;
  /** Nothing was noted in the last minute. */
  isUseDue: boolean;
}

const liveToken = statement<LiveToken>(
  'live token',
  `SELECT id, organization_id AS "organizationId", name, scope, hash, key_id AS "keyId",
    last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute' AS "isUseDue"
  FROM api_tokens
  WHERE hash = ANY($1::bytea[]) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())`,
);

/** The token that has one of these hashes, unless it is revoked or expired. */
export async function findLiveToken(pool: pg.Pool, hashes: Buffer[]): Promise<LiveToken | undefined> {
  const [token] = await liveToken(pool, [hashes]);
  return token;
}

/** At most once a minute, however many processes see the token used. */
export async function noteTokenUse(db: Database, id: string): Promise<void> {
  await db.$executeRaw`
    UPDATE api_tokens SET last_used_at = clock_timestamp()
    WHERE id = ${id} AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute')`;
}

export async function replaceTokenHash(
  db: Database,
  { id, hash }: Pick<LiveToken, 'id' | 'hash'>,
  by: { hash: Buffer; keyId: string },
): Promise<void> {
  await db.$executeRaw`
    UPDATE api_tokens SET hash = ${new Uint8Array(by.hash)}, key_id = ${by.keyId}
    WHERE id = ${id} AND hash = ${hash}`;
}

/** Live tokens whose hash was made with another key than the named one. */
export async function countTokensOfOtherKeys(db: Database, keyId: string): Promise<number> {
  const [row] = await db.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM api_tokens
    WHERE key_id IS DISTINCT FROM ${keyId}
      AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())`;
  return row?.count ?? 0;
}
