import { randomUUID } from 'node:crypto';
import type { Database, Transaction } from '../db.ts';
import { newerThan, type Position } from '../paging.ts';
import type { Role } from '../scopes.ts';

const daysGood = 7;

const open = { acceptedAt: null, revokedAt: null } as const;

export interface NewInvitation {
  organizationId: string;
  email: string | null;
  role: Role;
  makesServerAdmin: boolean;
  tokenHash: Buffer;
  createdBy: string;
}

export function insertInvitation(tx: Transaction, { tokenHash, ...wanted }: NewInvitation) {
  const expiresAt = new Date(Date.now() + daysGood * 86_400_000);
  return tx.invitation.create({
    data: { id: randomUUID(), ...wanted, tokenHash: new Uint8Array(tokenHash), expiresAt },
  });
}

/** Takes back what was sent to that address, or, for null, to nobody in particular. */
export async function revokeInvitationsFor(
  tx: Transaction,
  organizationId: string,
  email: string | null,
): Promise<void> {
  await tx.invitation.updateMany({
    where: { organizationId, email, ...open },
    data: { revokedAt: new Date() },
  });
}

/** Takes one back. Null when there is none that is open. */
export async function revokeInvitation(tx: Transaction, organizationId: string, id: string) {
  const [revoked] = await tx.invitation.updateManyAndReturn({
    where: { id, organizationId, ...open },
    data: { revokedAt: new Date() },
  });
  return revoked ?? null;
}

/** Those that somebody may still come with, oldest first. */
export function listInvitations(
  db: Database,
  organizationId: string,
  after: Position | undefined,
  limit: number,
) {
  return db.invitation.findMany({
    where: { organizationId, ...open, expiresAt: { gt: new Date() }, ...newerThan(after) },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: limit,
  });
}

/** `hashes`: of its token, with each key there is. */
export function findInvitation(db: Database, hashes: Buffer[]) {
  return db.invitation.findFirst({
    where: {
      tokenHash: { in: hashes.map((hash) => new Uint8Array(hash)) },
      ...open,
      expiresAt: { gt: new Date() },
    },
    include: { organization: { select: { name: true } } },
  });
}

/** False when somebody came with it before, or it was taken back. */
export async function useUpInvitation(tx: Transaction, id: string): Promise<boolean> {
  const { count } = await tx.invitation.updateMany({
    where: { id, ...open },
    data: { acceptedAt: new Date() },
  });
  return count === 1;
}

export async function noteWhoCame(tx: Transaction, id: string, userId: string): Promise<void> {
  await tx.invitation.update({ where: { id }, data: { acceptedBy: userId }, select: { id: true } });
}
