import { randomUUID } from 'node:crypto';
import type { Database, Transaction } from '../db.ts';

export function findFirstOrganization(db: Database | Transaction) {
  return db.organization.findFirst({ orderBy: { createdAt: 'asc' }, select: { id: true, name: true } });
}

export function insertOrganization(tx: Transaction, name: string) {
  return tx.organization.create({
    data: { id: `org-${randomUUID()}`, name },
    select: { id: true, name: true },
  });
}

export async function insertAdmin(
  tx: Transaction,
  admin: { organizationId: string; email: string; passwordHash: string },
): Promise<void> {
  const { organizationId, email, passwordHash } = admin;
  await tx.user.create({
    data: {
      id: randomUUID(),
      email,
      passwordHash,
      memberships: { create: { organizationId, role: 'admin' } },
    },
  });
}

/** Two first starts at once make one organization. The lock ends with the transaction. */
export async function lockOrganizations(tx: Transaction): Promise<void> {
  await tx.$executeRaw`LOCK TABLE organizations IN SHARE ROW EXCLUSIVE MODE`;
}
