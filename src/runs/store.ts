import type { AuditAction } from '../audit/record-audit.ts';
import type { Actor } from '../context.ts';
import { Prisma, type Database, type Transaction } from '../db.ts';
import { olderThan, type Position } from '../paging.ts';
import type { RunQuery } from './schema.ts';
import { isFinal, unfailedNodeStatuses } from './status.ts';

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
  /** Who that is, for the audit log. */
  actor: Actor;
  cause: string | null;
  metadata: Record<string, string | number | boolean> | null;
  settings: object;
  /** How often the same work was tried, this time included; and the run that this one retries. */
  attempt: number;
  retryOf: string | null;
  /** The run of another job whose end made this one begin. */
  afterRun: string | null;
  /** The time of its job's schedule that it stands for. */
  scheduledFor: Date | null;
  /** From now on: nobody takes it earlier. */
  delaySeconds: number;
  /** Whether it was triggered with an Idempotency-Key. */
  hasKey: boolean;
}

/**
 * Records a run of the project's current deployment, as `queued`. False when it has none whose files are there. Tries
 * twice: the deployment may have been replaced and its files removed while the first try waited for it.
 */
export async function insertRun(db: Database | Transaction, run: NewRun): Promise<boolean> {
  return (await insertOnce(db, run)) || (await insertOnce(db, run));
}

/**
 * The deployment is locked meanwhile, so none whose files are being removed is taken. Noted in the audit log by the same
 * statement: a trigger waits for the database once.
 */
async function insertOnce(db: Database | Transaction, run: NewRun): Promise<boolean> {
  const metadata = run.metadata === null ? null : JSON.stringify(run.metadata);
  const { actor } = run;
  const inserted = await db.$executeRaw`
    WITH recorded AS (INSERT INTO runs (id, organization_id, project_id, job_id, deployment_id, environment_id, name, command,
      command_override, triggered_by, requested_by, cause, metadata, settings, attempt, retry_of, after_run,
      scheduled_for, not_before, has_key, status)
    SELECT ${run.id}, ${run.organizationId}, ${run.projectId}, ${run.jobId}, deployments.id, ${run.environmentId},
      ${run.name}, ${run.command}, ${run.commandOverride}, ${run.triggeredBy}, ${run.requestedBy}, ${run.cause},
      ${metadata}::jsonb, ${JSON.stringify(run.settings)}::jsonb, ${run.attempt}::integer, ${run.retryOf}, ${run.afterRun},
      ${run.scheduledFor}::timestamptz,
      CASE WHEN ${run.delaySeconds}::float8 > 0 THEN clock_timestamp() + make_interval(secs => ${run.delaySeconds}::float8) END,
      ${run.hasKey}, 'queued'
    FROM projects JOIN deployments ON deployments.id = projects.deployment_id
    WHERE projects.id = ${run.projectId} AND deployments.pruned_at IS NULL
    FOR KEY SHARE OF deployments
    RETURNING id, organization_id, job_id, triggered_by)
    INSERT INTO audit_events (id, organization_id, actor_kind, actor_id, actor_name, address, action, subject_kind,
      subject_id, details)
    SELECT gen_random_uuid()::text, organization_id, ${actor.kind}, ${actor.id}, ${actor.name}, ${actor.address ?? null},
      ${'run.triggered' satisfies AuditAction}, 'run', id,
      jsonb_build_object('job_id', job_id, 'triggered_by', triggered_by)
    FROM recorded`;
  return inserted === 1;
}

/** Whether a run stands for this time of its job's schedule. */
export async function isRecorded(tx: Transaction, jobId: string, scheduledFor: Date): Promise<boolean> {
  return (await tx.run.findFirst({ where: { jobId, scheduledFor }, select: { id: true } })) !== null;
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

/**
 * The retry of a run that has not come to its end. Locks the run, so that of several who ask before they record one,
 * each sees what the one before recorded.
 */
export async function findRetryAtWork(
  tx: Transaction,
  runId: string,
): Promise<{ id: string; status: string } | null> {
  await tx.$executeRaw`SELECT 1 FROM runs WHERE id = ${runId} FOR NO KEY UPDATE`;
  return tx.run.findFirst({
    where: { retryOf: runId, status: { in: ['queued', 'running'] } },
    select: { id: true, status: true },
  });
}

/** Of each of these runs that was retried the newest retry. */
export function findRetries(db: Database, runIds: string[]): Promise<{ id: string; retryOf: string }[]> {
  return db.$queryRaw<{ id: string; retryOf: string }[]>`
    SELECT DISTINCT ON (retry_of) id, retry_of AS "retryOf" FROM runs WHERE retry_of = ANY(${runIds})
    ORDER BY retry_of, created_at DESC, id DESC`;
}

/** Of a queued run: that it is not told to wait any longer. */
export const isDue = Prisma.sql`(not_before IS NULL OR not_before <= clock_timestamp())`;

/** The oldest run of the job that waits for its turn. */
export async function findOldestQueued(db: Database, jobId: string): Promise<{ id: string } | null> {
  const [oldest] = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM runs
    WHERE job_id = ${jobId} AND status = 'queued' AND ${isDue}
    ORDER BY created_at, id LIMIT 1`;
  return oldest ?? null;
}

/** Whether each of the named runs has come to its end; of those that are known here. */
export async function findRunStates(db: Database, runIds: string[]): Promise<Map<string, 'open' | 'ended'>> {
  const found = await db.run.findMany({
    where: { id: { in: runIds } },
    select: { id: true, status: true },
  });
  return new Map(found.map(({ id, status }) => [id, isFinal(status) ? 'ended' : 'open']));
}

/** Those of the named environments that were deleted, themselves or with their project, and that no run needs any more. */
export async function findDeletedEnvironments(db: Database, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT environments.id FROM environments JOIN projects ON projects.id = environments.project_id
    WHERE environments.id = ANY(${ids})
      AND (environments.deleted_at IS NOT NULL OR projects.deleted_at IS NOT NULL)
      AND NOT EXISTS (
        SELECT FROM runs WHERE environment_id = environments.id AND status IN ('queued', 'running'))`;
  return rows.map((row) => row.id);
}

/** What marks containers and volumes as this installation's. */
export async function getInstallationId(db: Database): Promise<string> {
  return (await db.installation.findFirstOrThrow()).id;
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
         AND ${isDue}
     ) AS queued
     JOIN jobs ON jobs.id = queued.job_id
     WHERE queued.place <= jobs.max_parallel_runs - (
       SELECT count(*) FROM runs WHERE runs.job_id = queued.job_id AND runs.status = 'running')
     LIMIT 500)`;
  return rows.map((row) => row.id);
}
