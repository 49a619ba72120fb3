import { Prisma, type Database, type Transaction } from '../db.ts';
import { olderThan, type Position } from '../paging.ts';
import type { RunQuery } from './schema.ts';
import { finalStatuses, unfailedNodeStatuses } from './status.ts';

export interface NewRun {
  id: string;
  organizationId: string;
  projectId: string;
  jobId: string;
  environmentId: string;
  name: string;
  command: string;
  commandOverride: string | null;
  triggeredBy: string;
  requestedBy: string;
  cause: string | null;
  metadata: Record<string, string | number | boolean> | null;
  settings: object;
}

/**
 * Records a run of the project's current deployment, as `queued`. False when it has none whose files are there: the
 * deployment is locked meanwhile, so none whose files are being removed is taken.
 */
export async function insertRun(db: Database | Transaction, run: NewRun): Promise<boolean> {
  const metadata = run.metadata === null ? null : JSON.stringify(run.metadata);
  const inserted = await db.$executeRaw`
    INSERT INTO runs (id, organization_id, project_id, job_id, deployment_id, environment_id, name, command,
      command_override, triggered_by, requested_by, cause, metadata, settings, status)
    SELECT ${run.id}, ${run.organizationId}, ${run.projectId}, ${run.jobId}, deployments.id, ${run.environmentId},
      ${run.name}, ${run.command}, ${run.commandOverride}, ${run.triggeredBy}, ${run.requestedBy}, ${run.cause},
      ${metadata}::jsonb, ${JSON.stringify(run.settings)}::jsonb, 'queued'
    FROM projects JOIN deployments ON deployments.id = projects.deployment_id
    WHERE projects.id = ${run.projectId} AND deployments.pruned_at IS NULL
    FOR KEY SHARE OF deployments`;
  return inserted === 1;
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

export function listRuns(
  db: Database,
  organizationId: string,
  filters: Omit<RunQuery, 'limit' | 'cursor'>,
  after: Position | undefined,
  limit: number,
) {
  const { project_id: projectId, job_id: jobId, environment_id: environmentId, ...more } = filters;
  return db.run.findMany({
    where: {
      organizationId,
      ...(projectId !== undefined && { projectId }),
      ...(jobId !== undefined && { jobId }),
      ...(environmentId !== undefined && { environmentId }),
      ...(more.status && { status: { in: more.status } }),
      ...(more.triggered_by && { triggeredBy: { in: more.triggered_by } }),
      createdAt: {
        ...(more.created_after && { gte: more.created_after }),
        ...(more.created_before && { lt: more.created_before }),
      },
      ...olderThan(after),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit,
  });
}

export async function countNodesByStatus(db: Database | Transaction, runIds: string[]) {
  const rows = await db.nodeResult.groupBy({
    by: ['runId', 'step', 'status'],
    where: { runId: { in: runIds } },
    _count: true,
  });
  return rows.map(({ _count: count, ...row }) => ({ ...row, count }));
}

/** The steps of these runs that have begun, in their order. */
export function findSteps(db: Database | Transaction, runIds: string[]) {
  return db.runStep.findMany({ where: { runId: { in: runIds } }, orderBy: { number: 'asc' } });
}

/** The order of nodes: as they started, those of a step without a time last. */
const asStarted = [
  { step: 'asc' },
  { startedAt: { sort: 'asc', nulls: 'last' } },
  { uniqueId: 'asc' },
] satisfies Prisma.NodeResultOrderByWithRelationInput[];

export function listNodes(
  db: Database,
  runId: string,
  step: number | undefined,
  after: NodePosition | undefined,
  limit: number,
) {
  return db.nodeResult.findMany({
    where: { runId, AND: [step === undefined ? {} : { step }, after === undefined ? {} : nodesAfter(after)] },
    orderBy: asStarted,
    take: limit,
  });
}

/** Of the last node of a page. */
export interface NodePosition {
  step: number;
  startedAt: string | null;
  uniqueId: string;
}

function nodesAfter({ step, startedAt, uniqueId }: NodePosition): Prisma.NodeResultWhereInput {
  const later: Prisma.NodeResultWhereInput[] =
    startedAt === null
      ? []
      : [
          { step, startedAt: { gt: startedAt } },
          { step, startedAt: null },
        ];
  return { OR: [{ step: { gt: step } }, { step, startedAt, uniqueId: { gt: uniqueId } }, ...later] };
}

export function findFirstFailedNode(db: Database, runId: string) {
  return db.nodeResult.findFirst({
    where: { runId, status: { notIn: [...unfailedNodeStatuses] } },
    orderBy: asStarted,
    select: { uniqueId: true, status: true, message: true },
  });
}

/** One of each path: the step's, or that of the last step which wrote it. */
export function listArtifacts(db: Database, runId: string, step: number | undefined) {
  return db.artifact.findMany({
    where: { runId, ...(step !== undefined && { step }) },
    orderBy: [{ path: 'asc' }, { step: 'desc' }],
    distinct: ['path'],
  });
}

export function findArtifact(db: Database, runId: string, step: number | undefined, path: string) {
  return db.artifact.findFirst({
    where: { runId, path, ...(step !== undefined && { step }) },
    orderBy: { step: 'desc' },
  });
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
