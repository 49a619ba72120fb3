import { Prisma, type Database, type Transaction } from '../db.ts';
import { newerThan, type Position } from '../paging.ts';

/** In an organization. Each costs every run's end something. */
export const maxHooks = 100;
/** Variables in an organization, and secrets. */
export const maxValues = 200;

type Page = { after: Position | undefined; limit: number };

/**
 * In an organization, whoever writes hooks or what they name does so alone: what a hook names is there as long as the
 * hook is. The lock ends with the transaction.
 */
export async function lockHooks(tx: Transaction, organizationId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('hooks ' || ${organizationId}, 0))`;
}

const oldestFirst = { orderBy: [{ createdAt: 'asc' as const }, { id: 'asc' as const }] };

export interface StoredValue {
  id: string;
  name: string;
  /** Of a secret: sealed. */
  value: string;
  createdAt: Date;
  updatedAt: Date;
}

/** Variables, or secrets: the same but for what is done with the value. */
export type ValueKind = 'variables' | 'secrets';

export function listValues(
  db: Database | Transaction,
  kind: ValueKind,
  organizationId: string,
  { after, limit }: Page,
): Promise<StoredValue[]> {
  const where = { organizationId, ...newerThan(after) };
  return kind === 'variables'
    ? db.orchestrationVariable.findMany({ where, ...oldestFirst, take: limit })
    : db.orchestrationSecret.findMany({ where, ...oldestFirst, take: limit });
}

export function findValue(
  db: Database | Transaction,
  kind: ValueKind,
  organizationId: string,
  id: string,
): Promise<StoredValue | null> {
  const where = { id, organizationId };
  return kind === 'variables'
    ? db.orchestrationVariable.findFirst({ where })
    : db.orchestrationSecret.findFirst({ where });
}

export function countValues(tx: Transaction, kind: ValueKind, organizationId: string): Promise<number> {
  const where = { organizationId };
  return kind === 'variables'
    ? tx.orchestrationVariable.count({ where })
    : tx.orchestrationSecret.count({ where });
}

export function insertValue(
  tx: Transaction,
  kind: ValueKind,
  data: { id: string; organizationId: string; name: string; value: string },
): Promise<StoredValue> {
  return kind === 'variables'
    ? tx.orchestrationVariable.create({ data })
    : tx.orchestrationSecret.create({ data });
}

export function updateValue(
  tx: Transaction,
  kind: ValueKind,
  id: string,
  { name, value }: { name: string; value: string },
): Promise<StoredValue> {
  const change = { where: { id }, data: { name, value, updatedAt: new Date() } };
  return kind === 'variables'
    ? tx.orchestrationVariable.update(change)
    : tx.orchestrationSecret.update(change);
}

export async function removeValue(tx: Transaction, kind: ValueKind, id: string): Promise<void> {
  const removed = { where: { id }, select: { id: true } };
  if (kind === 'variables') await tx.orchestrationVariable.delete(removed);
  else await tx.orchestrationSecret.delete(removed);
}

/** A hook without its place in time. `headers` and `auth` are sealed. */
export interface HookFields {
  description: string;
  active: boolean;
  method: string;
  url: string;
  headers: string;
  body: string | null;
  auth: string | null;
  rules: Prisma.InputJsonValue;
  jobIds: string[];
}

export type StoredHook = Awaited<ReturnType<typeof listHooks>>[number];

export function listHooks(db: Database | Transaction, organizationId: string, { after, limit }: Page) {
  return db.hook.findMany({
    where: { organizationId, deletedAt: null, ...newerThan(after) },
    ...oldestFirst,
    take: limit,
  });
}

/** A deleted one is not found, unless it is asked for as well. */
export function findHook(
  db: Database | Transaction,
  organizationId: string,
  id: string,
  { alsoDeleted = false }: { alsoDeleted?: boolean } = {},
) {
  return db.hook.findFirst({ where: { id, organizationId, ...(alsoDeleted ? {} : { deletedAt: null }) } });
}

export function countHooks(tx: Transaction, organizationId: string): Promise<number> {
  return tx.hook.count({ where: { organizationId, deletedAt: null } });
}

export function insertHook(tx: Transaction, data: HookFields & { id: string; organizationId: string }) {
  return tx.hook.create({ data });
}

export function updateHook(tx: Transaction, id: string, data: HookFields) {
  return tx.hook.update({ where: { id }, data: { ...data, updatedAt: new Date() } });
}

/** Its deliveries stay, and those on their way go on. */
export async function markHookDeleted(tx: Transaction, id: string): Promise<void> {
  await tx.hook.update({ where: { id }, data: { deletedAt: new Date() }, select: { id: true } });
}

/** Which of these jobs are the organization's. Deleted ones only where they are among `had`. */
export async function findJobsOf(
  tx: Transaction,
  organizationId: string,
  ids: string[],
  had: string[],
): Promise<string[]> {
  const found = await tx.job.findMany({
    where: {
      id: { in: ids },
      project: { organizationId },
      OR: [{ deletedAt: null, project: { deletedAt: null } }, { id: { in: had } }],
    },
    select: { id: true },
  });
  return found.map(({ id }) => id);
}

/** Whether a hook may want to know of the end of a run: a column of a statement about `runs`. */
export const isFollowed = Prisma.sql`EXISTS (
  SELECT FROM hooks AS followed_by
  WHERE followed_by.organization_id = runs.organization_id AND followed_by.deleted_at IS NULL AND followed_by.active
    AND (followed_by.job_ids = '{}' OR runs.job_id = ANY(followed_by.job_ids)))`;

/** Those that want to know of the ends of a job's runs, oldest first. */
export function findHooksOfJob(
  tx: Transaction,
  { organizationId, jobId }: { organizationId: string; jobId: string },
) {
  return tx.hook.findMany({
    where: {
      organizationId,
      deletedAt: null,
      active: true,
      OR: [{ jobIds: { isEmpty: true } }, { jobIds: { has: jobId } }],
    },
    ...oldestFirst,
  });
}
