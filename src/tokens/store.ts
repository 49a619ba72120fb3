import { randomUUID } from 'node:crypto';
import type { Scope } from '../context.ts';
import type { Database, Transaction } from '../db.ts';

export async function insertToken(
  db: Database | Transaction,
  token: {
    organizationId: string;
    name: string;
    scope: Scope;
    hash: Buffer;
    prefix: string;
    lastFour: string;
  },
): Promise<{ id: string }> {
  return db.apiToken.create({
    data: { id: randomUUID(), ...token, hash: new Uint8Array(token.hash) },
    select: { id: true },
  });
}

export function findTokenByHash(db: Database, hash: Buffer) {
  return db.apiToken.findUnique({
    where: { hash: new Uint8Array(hash) },
    select: { id: true, organizationId: true, name: true, scope: true, expiresAt: true, revokedAt: true },
  });
}
