import { Prisma, type Database, type Transaction } from '../db.ts';
import { olderThan, type Position } from '../paging.ts';
import { finalStatuses, unfailedNodeStatuses } from './status.ts';

export interface NewRun {
  id: string;
  organizationId: string;
  projectId: string;
  jobId: string;
  deploymentId: string;
  environmentId: string;
  name: string;
  command: string;
  commandOverride: string | null;
  triggeredBy: string;
  cause: string | null;
  metadata: Record<string, string | number | boolean> | null;
  settings: object;
}

export async function insertRun(db: Database | Transaction, run: NewRun): Promise<void> {
  const { metadata, settings, ...columns } = run;
  await db.run.create({
    data: { ...columns, status: 'queued', metadata: metadata ?? Prisma.DbNull, settings },
    select: { id: true },
  });
}

/** False when the key is taken. Waits for another transaction that is about to take or to leave it. */
export async function takeIdempotencyKey(
  tx: Transaction,
  key: { organizationId: string; key: string; requestHash: Buffer; runId: string },
): Promise<boolean> {
  const taken = await tx.$executeRaw`
    INSERT INTO idempotency_keys (organization_id, key, request_hash, run_id)
    VALUES (${key.organizationId}, ${key.key}, ${new Uint8Array(key.requestHash)}, ${key.runId})
    ON CONFLICT DO NOTHING`;
  return taken === 1;
}

export function findIdempotencyKey(db: Database | Transaction, organizationId: string, key: string) {
  return db.idempotencyKey.findUnique({ where: { organizationId_key: { organizationId, key } } });
}

export function findRun(db: Database | Transaction, organizationId: string, id: string) {
  return db.run.findFirst({ where: { id, organizationId } });
}

export function listRuns(db: Database, organizationId: string, after: Position | undefined, limit: number) {
  return db.run.findMany({
    where: {
      organizationId,
      ...olderThan(after),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit,
  });
}

export async function countNodesByStatus(db: Database | Transaction, runIds: string[]) {
  const rows = await db.nodeResult.groupBy({
    by: ['runId', 'status'],
    where: { runId: { in: runIds } },
    _count: true,
  });
  return rows.map((row) => ({ runId: row.runId, status: row.status, count: row._count }));
}

/** The order of nodes: as they started, those without a time last. */
const asStarted = [
  { startedAt: { sort: 'asc', nulls: 'last' } },
  { uniqueId: 'asc' },
] satisfies Prisma.NodeResultOrderByWithRelationInput[];

export function listNodes(
  db: Database,
  runId: string,
  after: { startedAt: string | null; uniqueId: string } | undefined,
  limit: number,
) {
  return db.nodeResult.findMany({
    where: { runId, ...(after && nodesAfter(after)) },
    orderBy: asStarted,
    take: limit,
  });
}

function nodesAfter({ startedAt, uniqueId }: { startedAt: string | null; uniqueId: string }) {
  if (startedAt === null) return { startedAt: null, uniqueId: { gt: uniqueId } };
  return {
    OR: [{ startedAt: { gt: startedAt } }, { startedAt, uniqueId: { gt: uniqueId } }, { startedAt: null }],
  };
}

export function findFirstFailedNode(db: Database, runId: string) {
  return db.nodeResult.findFirst({
    where: { runId, status: { notIn: [...unfailedNodeStatuses] } },
    orderBy: asStarted,
    select: { uniqueId: true, status: true, message: true },
  });
}

export function listArtifacts(db: Database, runId: string) {
  return db.artifact.findMany({ where: { runId }, orderBy: { path: 'asc' } });
}

export function findArtifact(db: Database, runId: string, path: string) {
  return db.artifact.findFirst({ where: { runId, path }, orderBy: { step: 'desc' } });
}

/** The oldest run of the job that waits for its turn. */
export function findOldestQueued(db: Database, jobId: string) {
  return db.run.findFirst({
    where: { jobId, status: 'queued' },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    select: { id: true },
  });
}

/** Those of the named runs that have come to their end. */
export async function findEndedRuns(db: Database, runIds: string[]): Promise<string[]> {
  const where = { id: { in: runIds }, status: { in: [...finalStatuses] } };
  return (await db.run.findMany({ where, select: { id: true } })).map(({ id }) => id);
}

/**
 * Runs somebody should be working on: the oldest queued ones of jobs that have room, and those whose lease is over.
 * One run a free place at most, so ringing for them makes no crowd.
 */
export async function findForgottenRuns(db: Database, olderThanSeconds: number): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM runs WHERE status = 'running' AND lease_expires_at < clock_timestamp()
    UNION ALL
    (SELECT queued.id FROM (
       SELECT id, job_id, row_number() OVER (PARTITION BY job_id ORDER BY created_at, id) AS place FROM runs
       WHERE status = 'queued' AND created_at < clock_timestamp() - make_interval(secs => ${olderThanSeconds})
     ) AS queued
     JOIN jobs ON jobs.id = queued.job_id
     WHERE queued.place <= jobs.max_parallel_runs - (
       SELECT count(*) FROM runs WHERE runs.job_id = queued.job_id AND runs.status = 'running')
     LIMIT 500)`;
  return rows.map((row) => row.id);
}
