import type { Database, Transaction } from '../db.ts';
import { newerThan, type Position } from '../paging.ts';
import type { AuthStyle } from './schema.ts';

export interface StoredSource {
  id: string;
  organizationId: string;
  name: string;
  auth: AuthStyle;
  /** Sealed. */
  secret: string;
  idField: string | null;
  active: boolean;
  createdAt: Date;
  updatedAt: Date;
}

const live = { deletedAt: null } as const;

/** A deleted one is not found. */
export async function findSource(
  db: Database | Transaction,
  organizationId: string,
  id: string,
): Promise<StoredSource | null> {
  return asStored(await db.eventSource.findFirst({ where: { id, organizationId, ...live } }));
}

/** By its id, whosever it is. */
export async function findSourceOfAnybody(db: Database, id: string): Promise<StoredSource | null> {
  return asStored(await db.eventSource.findFirst({ where: { id, ...live } }));
}

/** By its id, or else by its name. */
export async function findSourceNamed(
  db: Database,
  organizationId: string,
  idOrName: string,
): Promise<StoredSource | null> {
  const found = await db.eventSource.findMany({
    where: { organizationId, ...live, OR: [{ id: idOrName }, { name: idOrName }] },
  });
  return asStored(found.find(({ id }) => id === idOrName) ?? found[0] ?? null);
}

export async function listSources(
  db: Database,
  organizationId: string,
  after: Position | undefined,
  limit: number,
): Promise<StoredSource[]> {
  const rows = await db.eventSource.findMany({
    where: { organizationId, ...live, ...newerThan(after) },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: limit,
  });
  return rows.map((row) => asStored(row)!);
}

export function countSources(tx: Transaction, organizationId: string): Promise<number> {
  return tx.eventSource.count({ where: { organizationId, ...live } });
}

export async function insertSource(
  tx: Transaction,
  data: Omit<StoredSource, 'createdAt' | 'updatedAt'>,
): Promise<StoredSource> {
  return asStored(await tx.eventSource.create({ data }))!;
}

export async function updateSource(
  tx: Transaction,
  id: string,
  data: Partial<Pick<StoredSource, 'name' | 'secret' | 'idField' | 'active'>> & { deletedAt?: Date },
): Promise<StoredSource> {
  return asStored(await tx.eventSource.update({ where: { id }, data: { ...data, updatedAt: new Date() } }))!;
}

export async function lockSource(tx: Transaction, id: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM event_sources WHERE id = ${id} FOR NO KEY UPDATE`;
}

/** In an organization, sources and rules are made one at a time. The lock ends with the transaction. */
export async function lockEventSettings(tx: Transaction, organizationId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('event settings ' || ${organizationId}, 0))`;
}

function asStored(row: (Omit<StoredSource, 'auth'> & { auth: string }) | null): StoredSource | null {
  return row === null ? null : { ...row, auth: row.auth as AuthStyle };
}
