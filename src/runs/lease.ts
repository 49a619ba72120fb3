import { randomUUID } from 'node:crypto';
import { Prisma, type Database, type Transaction } from '../db.ts';
import { channel } from '../changes.ts';
import { isFollowed } from '../hooks/store.ts';
import { runEvents } from '../webhooks/run-event.ts';
import { isHeard } from '../webhooks/subscription-store.ts';
import { settleNodes } from './progress.ts';
import { runSettings, type RunSettings } from './schema.ts';
import type { StatusReason, Verdict } from './status.ts';
import { isDue } from './store.ts';

/**
 * A worker's right to execute one run. Every write of a worker names the lease's token, so a worker that was
 * taken for dead changes nothing when it comes back. All times are the database's.
 */
export interface Lease {
  runId: string;
  token: string;
}

/** A run claimed more often than this is one that no worker can end: it is given up, or it would go round for ever. */
export const maxClaims = 50;

export interface ClaimedRun {
  lease: Lease;
  id: string;
  jobId: string;
  projectId: string;
  organizationId: string;
  /** Whose container and volumes it has, among those who share an engine. */
  installationId: string;
  deploymentId: string;
  /** What clients that know integers alone call it, and what it belongs to. */
  numbers: Record<'ACCOUNT' | 'PROJECT' | 'ENVIRONMENT' | 'JOB' | 'RUN', number>;
  triggeredBy: string;
  requestedBy: string | null;
  cause: string | null;
  metadata: Record<string, string | number | boolean> | null;
  settings: RunSettings;
  /** Whether it runs another command than its job's. */
  hasOverride: boolean;
  /** When set, an earlier worker started the run's container, or was about to. */
  launchedAt: Date | null;
  /** The container it was launched in. Null: it was not launched. */
  containerId: string | null;
  /** The preparation whose manifest stands for the one that dbt was told not to write. Null: dbt writes its own. */
  preparationId: string | null;
  /** Raised by each claim, and by each launch after the first. 1: nobody worked on it before. */
  fence: number;
  /** Of the stored log, in bytes. */
  logBytes: number;
  /** An earlier worker came to the end of a log that is longer than the limit, and stored its tail. */
  logTruncated: boolean;
  /** From its record to its first claim. */
  waitedSeconds: number;
  /** Until the job's timeout, counted from the first claim. */
  remainingMs: number;
  /** Who asked, before this claim, that the run be cancelled. */
  cancelledBy: string | null;
}

/**
 * Takes the oldest run that waits in the queue of the named run's job, if the job's limit of parallel runs allows;
 * or the named run itself when its worker's lease has run out. Null: there is nothing to do, or not yet. A run that was
 * launched is left to workers that share the Docker engine: no other can find its container.
 *
 * The job's row is locked meanwhile, so two workers never count the same free place. `begun`: called in the transaction
 * that claims a run for the first time, if anybody is to hear of that.
 */
export async function claimRun(
  db: Database,
  runId: string,
  worker: { name: string; leaseSeconds: number; engineId: string | null },
  begun: (tx: Transaction, run: BegunRun) => Promise<void> = async () => undefined,
): Promise<ClaimedRun | null> {
  const token = randomUUID();
  const rows = await db.$transaction(async (tx) => {
    const [job] = await tx.$queryRaw<{ id: string; maxParallelRuns: number }[]>`
      SELECT id, max_parallel_runs AS "maxParallelRuns" FROM jobs
      WHERE id = (SELECT job_id FROM runs WHERE id = ${runId}) FOR NO KEY UPDATE`;
    if (job === undefined) return [];
    const claimed = await tx.$queryRaw<(ClaimedRow & { isHeard: boolean })[]>`
      UPDATE runs SET
        status = 'running',
        lease_token = ${token},
        lease_expires_at = clock_timestamp() + make_interval(secs => ${worker.leaseSeconds}),
        fence = fence + 1,
        worker_name = ${worker.name},
        started_at = COALESCE(started_at, clock_timestamp())
      WHERE id = (
        (SELECT id FROM runs WHERE id = ${runId} AND status = 'running' AND lease_expires_at < clock_timestamp()
         AND (launched_at IS NULL OR engine_id IS NULL OR engine_id = ${worker.engineId}::text))
        UNION ALL
        (SELECT id FROM runs WHERE job_id = ${job.id} AND status = 'queued'
         AND ${isDue} AND (
           SELECT count(*) FROM runs WHERE job_id = ${job.id} AND status = 'running') < ${job.maxParallelRuns}
         ORDER BY created_at, id LIMIT 1)
        LIMIT 1)
      -- Once more, of the row as it is when it is locked: it may have been cancelled, or have ended, since it was found.
      -- (Not with OR: Postgres would look for the row among all that wait.)
      AND CASE status WHEN 'queued' THEN true WHEN 'running' THEN lease_expires_at < clock_timestamp() ELSE false END
      RETURNING ${claimedColumns}, ${isHeard(['job.run.started'])} AS "isHeard",
        pg_notify(${channel}, id)::text AS told`;
    const [first] = claimed;
    if (first?.isHeard === true && first.fence === 1) await begun(tx, first);
    return claimed;
  });
  const [row] = rows;
  return row === undefined ? null : readClaimed(row, token);
}

type BegunRun = Pick<ClaimedRun, 'id' | 'jobId' | 'organizationId'>;

/** The columns of a `ClaimedRow`. */
export const claimedColumns = Prisma.sql`id, (SELECT id FROM installation) AS "installationId", job_id AS "jobId",
  project_id AS "projectId", organization_id AS "organizationId", deployment_id AS "deploymentId", settings,
  jsonb_build_object(
    'ACCOUNT', (SELECT number FROM organizations WHERE organizations.id = runs.organization_id),
    'PROJECT', (SELECT number FROM projects WHERE projects.id = runs.project_id),
    'ENVIRONMENT', (SELECT number FROM environments WHERE environments.id = runs.environment_id),
    'JOB', (SELECT number FROM jobs WHERE jobs.id = runs.job_id),
    'RUN', runs.number) AS numbers,
  triggered_by AS "triggeredBy", requested_by AS "requestedBy", cause, metadata,
  command_override IS NOT NULL AS "hasOverride", launched_at AS "launchedAt", container_id AS "containerId",
  preparation_id AS "preparationId", fence, log_bytes AS "logBytes", log_truncated AS "logTruncated",
  cancelled_by AS "cancelledBy", extract(epoch FROM started_at - created_at)::float8 AS "waitedSeconds",
  GREATEST(0, extract(epoch FROM clock_timestamp() - started_at) * 1000)::float8 AS "elapsedMs"`;

export function readClaimed(row: ClaimedRow, token: string): ClaimedRun {
  const { elapsedMs, logBytes, ...columns } = row;
  const settings = runSettings.parse(row.settings);
  return {
    ...columns,
    lease: { runId: row.id, token },
    settings,
    logBytes: Number(logBytes),
    remainingMs: Math.max(0, settings.timeoutSeconds * 1_000 - elapsedMs),
  };
}

export type ClaimedRow = Omit<ClaimedRun, 'lease' | 'settings' | 'logBytes' | 'remainingMs'> & {
  settings: unknown;
  logBytes: bigint;
  elapsedMs: number;
};

/** Null when the lease is no longer this worker's. Says as well who asked that the run be cancelled. */
export async function renewLease(
  db: Database,
  { runId, token }: Lease,
  leaseSeconds: number,
): Promise<{ cancelledBy: string | null } | null> {
  const [renewed] = await db.$queryRaw<{ cancelledBy: string | null }[]>`
    UPDATE runs SET lease_expires_at = clock_timestamp() + make_interval(secs => ${leaseSeconds})
    WHERE id = ${runId} AND lease_token = ${token}
    RETURNING cancelled_by AS "cancelledBy"`;
  return renewed ?? null;
}

/**
 * To be called just before the container is started; again is the same as once. Null when the lease is lost. A run that
 * somebody cancelled is not marked, and must not be started.
 */
export async function markLaunched(
  db: Database,
  { runId, token }: Lease,
  {
    containerId,
    engineId,
    preparationId = null,
  }: { containerId: string; engineId: string | null; preparationId?: string | null },
): Promise<{ cancelledBy: string | null } | null> {
  const [marked] = await db.$queryRaw<{ cancelledBy: string | null }[]>`
    UPDATE runs SET
      launched_at = CASE WHEN cancelled_by IS NULL THEN clock_timestamp() END,
      container_id = CASE WHEN cancelled_by IS NULL THEN ${containerId} END,
      engine_id = CASE WHEN cancelled_by IS NULL THEN ${engineId} END,
      preparation_id = CASE WHEN cancelled_by IS NULL THEN ${preparationId} END
    WHERE id = ${runId} AND lease_token = ${token} AND (launched_at IS NULL OR container_id = ${containerId})
    RETURNING cancelled_by AS "cancelledBy"`;
  return marked ?? null;
}

/**
 * Undoes `markLaunched` once it is sure that the container ran nothing and never will, and says the fence of the next
 * launch. What the container wrote, if it began, is not the run's. Null when the lease is lost.
 */
export async function forgetLaunch(
  db: Database,
  { runId, token }: Lease,
  containerId: string,
): Promise<{ fence: number } | null> {
  const [forgotten] = await db.$queryRaw<{ fence: number }[]>`
    WITH held AS (
      UPDATE runs SET
        launched_at = NULL,
        container_id = NULL,
        engine_id = NULL,
        preparation_id = NULL,
        fence = fence + CASE WHEN container_id = ${containerId} THEN 1 ELSE 0 END,
        log_bytes = 0,
        log_truncated = false
      WHERE id = ${runId} AND lease_token = ${token} AND (container_id = ${containerId} OR launched_at IS NULL)
      RETURNING id, fence),
    removed AS (DELETE FROM log_chunks USING held WHERE run_id = held.id)
    SELECT fence FROM held`;
  return forgotten ?? null;
}

/** Leaves the run to another worker at once, its container untouched. */
export async function releaseLease(db: Database, { runId, token }: Lease): Promise<void> {
  await db.$executeRaw`
    UPDATE runs SET lease_expires_at = clock_timestamp() WHERE id = ${runId} AND lease_token = ${token}`;
}

/** Of a run that has ended: what was left of it is removed. Again is the same as once. */
export async function noteContainerGone(db: Database, runId: string): Promise<void> {
  await db.$executeRaw`
    UPDATE runs SET container_gone_at = clock_timestamp()
    WHERE id = ${runId} AND finished_at IS NOT NULL AND container_gone_at IS NULL`;
}

/** Running -> final, once. Null when the lease is lost: then nothing has changed. */
export async function endRun(
  tx: Transaction,
  { runId, token }: Lease,
  end: Verdict & {
    exitCode: number | null;
    nodesTotal: number | null;
    endedAgoMs: number;
    /** How long others leave it to this worker to store what the run left; null: there is nothing to store. */
    collectSeconds: number | null;
  },
): Promise<EndedRun | null> {
  // The nodes of a run that is given up may be what nobody could store.
  const settled = end.statusReason === 'gave_up' ? Prisma.empty : Prisma.sql`, settled AS (${settleNodes})`;
  const [ended] = await tx.$queryRaw<EndedRun[]>`
    WITH ended AS (UPDATE runs SET
      status = ${end.status},
      status_reason = ${end.statusReason},
      error_message = ${end.errorMessage},
      exit_code = ${end.exitCode},
      -- SQLMesh tells of no nodes: none counted is not none there.
      nodes_total = CASE WHEN settings ->> 'projectType' = 'sqlmesh' THEN NULL
        ELSE COALESCE(${end.nodesTotal}, nodes_total) END,
      finished_at = GREATEST(started_at, container_end.at),
      duration_ms = GREATEST(0, round(extract(epoch FROM container_end.at - started_at) * 1000)),
      lease_token = NULL,
      artifacts_pending = ${end.collectSeconds !== null},
      lease_expires_at = clock_timestamp() + make_interval(secs => ${end.collectSeconds}::float8)
    FROM (SELECT clock_timestamp() - make_interval(secs => ${end.endedAgoMs / 1_000}::float8) AS at) AS container_end
    WHERE id = ${runId} AND lease_token = ${token} AND status = 'running'
    RETURNING ${endedRun}, pg_notify(${channel}, id)::text AS told)${settled}
    SELECT * FROM ended`;
  return ended ?? null;
}

/**
 * Queued -> final, for those that `which` names. `noted`: what else is kept of each.
 *
 * @returns those that were queued still
 */
export function endQueued(
  tx: Transaction,
  verdict: Verdict,
  { which, noted }: { which: Prisma.Sql; noted: Prisma.Sql },
): Promise<EndedRun[]> {
  return tx.$queryRaw<EndedRun[]>`
    UPDATE runs SET
      status = ${verdict.status},
      status_reason = ${verdict.statusReason},
      error_message = ${verdict.errorMessage},
      finished_at = clock_timestamp(),
      ${noted}
    WHERE ${which} AND status = 'queued'
    RETURNING ${endedRun}`;
}

/** The columns of an `EndedRun`. */
const endedRun = Prisma.sql`id, artifacts_pending AS "hasPendingArtifacts", ${isHeard(runEvents)} AS "isHeard",
  ${isFollowed} AS "isFollowed", job_id AS "jobId", project_id AS "projectId", organization_id AS "organizationId", attempt, status,
  status_reason AS "statusReason", error_message AS "errorMessage", triggered_by AS "triggeredBy",
  command_override AS "commandOverride", cause, metadata, started_at AS "startedAt", finished_at AS "finishedAt",
  duration_ms::float8 AS "durationMs"`;

export interface EndedRun {
  id: string;
  /** What it left is not stored yet. */
  hasPendingArtifacts: boolean;
  /** A webhook subscription may want to know. */
  isHeard: boolean;
  /** A hook may want to know. */
  isFollowed: boolean;
  jobId: string;
  projectId: string;
  organizationId: string;
  attempt: number;
  status: Verdict['status'];
  statusReason: StatusReason | null;
  errorMessage: string | null;
  triggeredBy: string;
  commandOverride: string | null;
  cause: string | null;
  metadata: Record<string, string | number | boolean> | null;
  /** Null: it was cancelled before it began. */
  startedAt: Date | null;
  finishedAt: Date;
  durationMs: number | null;
}
