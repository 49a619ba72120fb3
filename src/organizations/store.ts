import { randomUUID } from 'node:crypto';
import type { Database, Transaction } from '../db.ts';

const shown = { id: true, name: true, retentionDays: true, createdAt: true } as const;

export function findFirstOrganization(db: Database | Transaction) {
  return db.organization.findFirst({ orderBy: { createdAt: 'asc' }, select: shown });
}

export function findOrganizations(db: Database, ids: string[]) {
  return db.organization.findMany({
    where: { id: { in: ids } },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    select: shown,
  });
}

export function getOrganizationById(db: Database | Transaction, id: string) {
  return db.organization.findUniqueOrThrow({ where: { id }, select: shown });
}

export function listAllOrganizations(db: Database) {
  return db.organization.findMany({ orderBy: [{ createdAt: 'asc' }, { id: 'asc' }], select: shown });
}

export function insertOrganization(tx: Transaction, name: string) {
  return tx.organization.create({ data: { id: `org-${randomUUID()}`, name }, select: shown });
}

export function updateOrganization(
  tx: Transaction,
  id: string,
  change: { name?: string; retentionDays?: number | null },
) {
  return tx.organization.update({ where: { id }, data: change, select: shown });
}

/** Changes of one organization happen one at a time. The lock ends with the transaction. */
export async function lockOrganization(tx: Transaction, id: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM organizations WHERE id = ${id} FOR NO KEY UPDATE`;
}

/** Two first starts at once make one organization. The lock ends with the transaction. */
export async function lockOrganizations(tx: Transaction): Promise<void> {
  await tx.$executeRaw`LOCK TABLE organizations IN SHARE ROW EXCLUSIVE MODE`;
}
