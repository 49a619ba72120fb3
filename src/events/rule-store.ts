import type { Condition } from '../conditions.ts';
import { Prisma, type Database, type Transaction } from '../db.ts';
import { newerThan, type Position } from '../paging.ts';
import type { WindowUntil } from './schema.ts';

/** What a rule says. */
export interface RuleSettings {
  name: string;
  sourceId: string;
  active: boolean;
  conditions: Condition[];
  projectId: string;
  jobId: string;
  commandOverride: string | null;
  cause: string | null;
  metadata: Record<string, string | number | boolean> | null;
  windowSeconds: number | null;
  windowUntil: WindowUntil | null;
}

export interface StoredRule extends RuleSettings {
  id: string;
  organizationId: string;
  createdAt: Date;
  updatedAt: Date;
  deletedAt: Date | null;
}

const live = { deletedAt: null } as const;

/** A deleted one is not found. */
export async function findRule(
  db: Database | Transaction,
  organizationId: string,
  id: string,
): Promise<StoredRule | null> {
  const row = await db.eventRule.findFirst({ where: { id, organizationId, ...live } });
  return row && asStored(row);
}

export async function listRules(
  db: Database,
  organizationId: string,
  after: Position | undefined,
  limit: number,
): Promise<StoredRule[]> {
  const rows = await db.eventRule.findMany({
    where: { organizationId, ...live, ...newerThan(after) },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: limit,
  });
  return rows.map(asStored);
}

export function countRules(tx: Transaction, organizationId: string): Promise<number> {
  return tx.eventRule.count({ where: { organizationId, ...live } });
}

/** The first few. */
export async function findNamesOfRules(tx: Transaction, sourceId: string): Promise<string[]> {
  const rows = await tx.eventRule.findMany({
    where: { sourceId, ...live },
    select: { name: true },
    orderBy: { createdAt: 'asc' },
    take: 5,
  });
  return rows.map(({ name }) => name);
}

export async function insertRule(
  tx: Transaction,
  rule: RuleSettings & { id: string; organizationId: string },
): Promise<StoredRule> {
  return asStored(await tx.eventRule.create({ data: asRow(rule) }));
}

export async function updateRule(tx: Transaction, id: string, rule: RuleSettings): Promise<StoredRule> {
  return asStored(
    await tx.eventRule.update({ where: { id }, data: { ...asRow(rule), updatedAt: new Date() } }),
  );
}

/** Its verdicts stay. */
export async function markRuleDeleted(tx: Transaction, id: string): Promise<void> {
  await tx.eventRule.update({ where: { id }, data: { deletedAt: new Date() }, select: { id: true } });
}

/** Nobody else changes it, or adds to what it gathers, until the transaction ends. */
export async function lockRule(tx: Transaction, id: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM event_rules WHERE id = ${id} FOR NO KEY UPDATE`;
}

/** The same, unless somebody is at it: false then. */
export async function lockRuleIfFree(tx: Transaction, id: string): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT id FROM event_rules WHERE id = ${id} FOR NO KEY UPDATE SKIP LOCKED`;
  return rows.length > 0;
}

/** Those of a source that gather: in the order of their ids, as everybody who locks several does. */
export async function lockGatheringRules(tx: Transaction, sourceId: string): Promise<ReadonlySet<string>> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM event_rules
    WHERE source_id = ${sourceId} AND active AND deleted_at IS NULL AND window_seconds IS NOT NULL
    ORDER BY id FOR NO KEY UPDATE`;
  return new Set(rows.map(({ id }) => id));
}

/** Those that judge the events of a source, in the order of their ids. */
export async function findLiveRules(tx: Transaction, sourceId: string): Promise<StoredRule[]> {
  const rows = await tx.eventRule.findMany({
    where: { sourceId, active: true, ...live },
    orderBy: { id: 'asc' },
  });
  return rows.map(asStored);
}

/** As it is now, deleted or not, with the name of its source. */
export async function findRuleOfGathering(tx: Transaction, id: string) {
  const { source, ...row } = await tx.eventRule.findUniqueOrThrow({
    where: { id },
    include: { source: { select: { name: true } } },
  });
  return { rule: asStored(row), sourceName: source.name };
}

/** The project of a job of the organization; `isLive`: neither of them is deleted. Null: there is no such job. */
export async function findProjectOfJob(
  db: Database | Transaction,
  organizationId: string,
  jobId: string,
): Promise<{ id: string; type: string; isLive: boolean } | null> {
  const job = await db.job.findFirst({
    where: { id: jobId, project: { organizationId } },
    select: { deletedAt: true, project: { select: { id: true, type: true, deletedAt: true } } },
  });
  if (job === null) return null;
  const { deletedAt, ...project } = job.project;
  return { ...project, isLive: job.deletedAt === null && deletedAt === null };
}

type Row = Awaited<ReturnType<Database['eventRule']['findFirstOrThrow']>>;

function asStored({ conditions, metadata, windowUntil, ...row }: Row): StoredRule {
  return {
    ...row,
    conditions: conditions as unknown as Condition[],
    metadata: metadata as StoredRule['metadata'],
    windowUntil: windowUntil as WindowUntil | null,
  };
}

function asRow<Rule extends RuleSettings>({ conditions, metadata, windowUntil, ...rule }: Rule) {
  return {
    ...rule,
    conditions: conditions as unknown as Prisma.InputJsonArray,
    metadata: metadata ?? Prisma.DbNull,
    windowUntil: windowUntil ?? Prisma.DbNull,
  };
}
