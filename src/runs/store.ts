import type pg from 'pg';
import type { AuditAction } from '../audit/record-audit.ts';
import type { Actor } from '../context.ts';
import { Prisma, statement, type Database, type Transaction } from '../db.ts';
import { runSettings } from './schema.ts';
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
 * The deployment is locked meanwhile, so none whose files are being removed is taken. Noted in the audit log by the same
 * statement: a trigger waits for the database once.
 */
const recordRuns = statement<{ id: string }>(
  'record runs',
  `WITH wanted AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS wanted (id text, "organizationId" text, "projectId" text, "jobId" text,
      "environmentId" text, name text, command text, "commandOverride" text, "triggeredBy" text, "requestedBy" text,
      cause text, metadata jsonb, settings jsonb, attempt integer, "retryOf" text, "afterRun" text,
      "scheduledFor" timestamptz, "delaySeconds" float8, "hasKey" boolean, actor jsonb)),
  recorded AS (
    INSERT INTO runs (id, organization_id, project_id, job_id, deployment_id, environment_id, name, command,
      command_override, triggered_by, requested_by, cause, metadata, settings, attempt, retry_of, after_run,
      scheduled_for, not_before, has_key, status)
    SELECT wanted.id, "organizationId", "projectId", "jobId", deployments.id, "environmentId", wanted.name, command,
      "commandOverride", "triggeredBy", "requestedBy", cause, metadata, settings, attempt, "retryOf", "afterRun",
      "scheduledFor", CASE WHEN "delaySeconds" > 0 THEN clock_timestamp() + make_interval(secs => "delaySeconds") END,
      "hasKey", 'queued'
    FROM wanted
    JOIN projects ON projects.id = "projectId"
    JOIN deployments ON deployments.id = projects.deployment_id AND deployments.pruned_at IS NULL
    FOR KEY SHARE OF deployments
    RETURNING id)
  INSERT INTO audit_events (id, organization_id, actor_kind, actor_id, actor_name, address, action, subject_kind,
    subject_id, details)
  SELECT gen_random_uuid()::text, "organizationId", actor ->> 'kind', actor ->> 'id', actor ->> 'name',
    actor ->> 'address', '${'run.triggered' satisfies AuditAction}', 'run', id,
    jsonb_build_object('job_id', "jobId", 'triggered_by', "triggeredBy")
  FROM recorded JOIN wanted USING (id)
  RETURNING subject_id AS id`,
);

/**
 * Records runs of their projects' current deployments, as `queued`. Answers for each whether it did: not when there is no
 * deployment whose files are there. Tries twice: the deployment may have been replaced and its files removed while the
 * first try waited for it.
 */
export async function insertRuns(db: pg.Pool | Database | Transaction, runs: NewRun[]): Promise<boolean[]> {
  const recorded = new Set<string>();
  for (let tries = 0; tries < 2 && recorded.size < runs.length; tries += 1) {
    const left = runs.filter(({ id }) => !recorded.has(id));
    for (const { id } of await recordRuns(db, [JSON.stringify(left)])) recorded.add(id);
  }
  return runs.map(({ id }) => recorded.has(id));
}

/** The same for one. */
export async function insertRun(db: Database | Transaction, run: NewRun): Promise<boolean> {
  const [wasRecorded] = await insertRuns(db, [run]);
  return wasRecorded!;
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

/** The preparation whose manifest stands for the run's own. */
export async function findPreparationOfRun(db: Database, id: string): Promise<string | null> {
  const run = await db.run.findUnique({ where: { id }, select: { preparationId: true } });
  return run?.preparationId ?? null;
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

/** The numbers of the run's steps that have no part in its status. */
export async function findStepsThatMayFail(db: Database, runId: string): Promise<number[]> {
  const run = await db.run.findUnique({ where: { id: runId }, select: { settings: true } });
  const { steps } = runSettings.pick({ steps: true }).parse(run?.settings ?? { steps: [] });
  return steps.flatMap(({ mayFail }, place) => (mayFail ? [place + 1] : []));
}

/** `without`: the numbers of steps that do not count. */
export function findFirstFailedNode(db: Database, runId: string, without: number[]) {
  return db.nodeResult.findFirst({
    where: { runId, step: { notIn: without }, status: { notIn: [...unfailedNodeStatuses] } },
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

const nextToBegin = statement<{ id: string }>(
  'next to begin',
  `SELECT id FROM runs
  WHERE job_id = $1 AND status = 'queued' AND (not_before IS NULL OR not_before <= clock_timestamp())
  ORDER BY created_at, id
  LIMIT GREATEST(0, (SELECT max_parallel_runs FROM jobs WHERE id = $1)
    - (SELECT count(*) FROM runs WHERE job_id = $1 AND status = 'running'))`,
);

/** The queued runs of the job that could begin now: as many as it has free places, the oldest. */
export async function findNextToBegin(pool: pg.Pool, jobId: string): Promise<string[]> {
  return (await nextToBegin(pool, [jobId])).map(({ id }) => id);
}

/**
 * Whether each of the named runs has come to its end, and what it left is stored; of those that are known here.
 */
export async function findRunStates(db: Database, runIds: string[]): Promise<Map<string, 'open' | 'ended'>> {
  const found = await db.run.findMany({
    where: { id: { in: runIds } },
    select: { id: true, status: true, artifactsPending: true },
  });
  const isOver = ({ status, artifactsPending }: (typeof found)[number]) =>
    isFinal(status) && !artifactsPending;
  return new Map(found.map((run) => [run.id, isOver(run) ? 'ended' : 'open']));
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

/**
 * The runs that were launched in these containers, and are not known to be gone with them. `isOver`: nothing of the
 * container is needed any more.
 */
export async function findRunsInContainers(
  db: Database,
  containerIds: string[],
): Promise<Map<string, { id: string; isOver: boolean }>> {
  const found = await db.$queryRaw<{ id: string; containerId: string; status: string; isPending: boolean }[]>`
    SELECT id, container_id AS "containerId", status, artifacts_pending AS "isPending" FROM runs
    WHERE container_id = ANY(${containerIds}) AND container_gone_at IS NULL`;
  return new Map(
    found.map(({ id, containerId, status, isPending }) => [
      containerId,
      { id, isOver: isFinal(status) && !isPending },
    ]),
  );
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
    (SELECT next.id FROM (
       SELECT job_id FROM runs
       WHERE status = 'queued' AND created_at < clock_timestamp() - make_interval(secs => ${olderThanSeconds})
         AND ${isDue}
       GROUP BY job_id
     ) AS waiting
     JOIN jobs ON jobs.id = waiting.job_id
     CROSS JOIN LATERAL (
       SELECT id FROM runs
       WHERE job_id = jobs.id AND status = 'queued'
         AND created_at < clock_timestamp() - make_interval(secs => ${olderThanSeconds}) AND ${isDue}
       ORDER BY created_at, id
       LIMIT GREATEST(0, jobs.max_parallel_runs - (
         SELECT count(*) FROM runs WHERE runs.job_id = jobs.id AND runs.status = 'running'))
     ) AS next
     LIMIT 500)`;
  return rows.map((row) => row.id);
}
