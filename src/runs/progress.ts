import { channel } from '../changes.ts';
import type { Context } from '../context.ts';
import { Prisma, statement, type Database } from '../db.ts';
import { releaseHeld } from '../webhooks/subscription-store.ts';
import type { Lease } from './lease.ts';
import { neverBegan } from './status.ts';

/** What is known of one of dbt's nodes, at any time of its life. Times are ISO 8601 texts. */
export interface NodeReport {
  step: number;
  uniqueId: string;
  resourceType: string;
  /** dbt's own word, or `queued` or `started`. */
  status: string;
  startedAt: string | null;
  finishedAt: string | null;
  durationSeconds: number | null;
  rowsAffected: number | null;
  message: string | null;
  thread: string | null;
  timing: { name: string; started_at: string | null; completed_at: string | null }[] | null;
  adapterResponse: Record<string, unknown> | null;
  failures: number | null;
  relationName: string | null;
}

/** What is known of a step that has begun. Times are ISO 8601 texts. */
export interface StepReport {
  number: number;
  startedAt: string | null;
  /** Null while it runs. */
  end: { exitCode: number; error: string | null; finishedAt: string | null } | null;
}

/** How dbt was invoked for a step. */
export interface InvocationReport {
  step: number;
  invocationId: string | null;
  dbtVersion: string | null;
  /** As dbt writes them to run_results.json. */
  arguments: Record<string, unknown> | null;
}

/** What became known since the last report. */
export interface ProgressReport {
  steps: StepReport[];
  invocations: InvocationReport[];
  nodes: NodeReport[];
  /** How many nodes dbt is going to work on; null: that has not changed. */
  nodesTotal: number | null;
}

const storeProgress = statement(
  'store progress',
  `WITH held AS (SELECT id FROM runs WHERE id = $1 AND lease_token = $2),
  total AS (UPDATE runs SET nodes_total = $5 FROM held WHERE runs.id = held.id AND $5::integer IS NOT NULL),
  stored_steps AS (
    INSERT INTO run_steps (run_id, number, status, exit_code, error_message, started_at, finished_at, arguments,
      invocation_id, program_version)
    SELECT held.id, s.number, s.status, s."exitCode", s."errorMessage",
      CASE WHEN s."hasBegun" THEN COALESCE(s."startedAt", clock_timestamp()) END,
      CASE WHEN s.status <> 'running' THEN COALESCE(s."finishedAt", clock_timestamp()) END,
      s.arguments, s."invocationId", s."dbtVersion"
    FROM held, jsonb_to_recordset($3::jsonb) AS s(number integer, status text, "hasBegun" boolean, "exitCode" integer,
      "errorMessage" text, "startedAt" timestamptz, "finishedAt" timestamptz, arguments jsonb, "invocationId" text,
      "dbtVersion" text)
    -- What an earlier worker stored of a step's end stays.
    ON CONFLICT (run_id, number) DO UPDATE SET
      status = CASE WHEN EXCLUDED.status = 'running' THEN run_steps.status ELSE EXCLUDED.status END,
      exit_code = COALESCE(EXCLUDED.exit_code, run_steps.exit_code),
      error_message = COALESCE(EXCLUDED.error_message, run_steps.error_message),
      started_at = COALESCE(run_steps.started_at, EXCLUDED.started_at),
      finished_at = COALESCE(EXCLUDED.finished_at, run_steps.finished_at),
      arguments = COALESCE(EXCLUDED.arguments, run_steps.arguments),
      invocation_id = COALESCE(EXCLUDED.invocation_id, run_steps.invocation_id),
      program_version = COALESCE(EXCLUDED.program_version, run_steps.program_version)),
  stored_nodes AS (
    INSERT INTO node_results (run_id, step, unique_id, resource_type, status, started_at, finished_at,
      duration_seconds, rows_affected, message, thread, timing, adapter_response, failures, relation_name)
    SELECT held.id, n.step, n."uniqueId", n."resourceType", n.status, n."startedAt", n."finishedAt",
      n."durationSeconds", n."rowsAffected", n.message, n.thread, n.timing, n."adapterResponse", n.failures,
      n."relationName"
    FROM held, jsonb_to_recordset($4::jsonb) AS n(step integer, "uniqueId" text, "resourceType" text, status text,
      "startedAt" timestamptz, "finishedAt" timestamptz, "durationSeconds" double precision, "rowsAffected" bigint,
      message text, thread text, timing jsonb, "adapterResponse" jsonb, failures bigint, "relationName" text)
    ON CONFLICT (run_id, step, unique_id) DO UPDATE SET
      status = EXCLUDED.status,
      started_at = COALESCE(EXCLUDED.started_at, node_results.started_at),
      finished_at = EXCLUDED.finished_at,
      duration_seconds = EXCLUDED.duration_seconds,
      rows_affected = EXCLUDED.rows_affected,
      message = EXCLUDED.message,
      thread = COALESCE(EXCLUDED.thread, node_results.thread),
      timing = EXCLUDED.timing,
      adapter_response = EXCLUDED.adapter_response,
      failures = EXCLUDED.failures,
      relation_name = COALESCE(EXCLUDED.relation_name, node_results.relation_name)
    WHERE EXCLUDED.status <> 'queued')
  SELECT pg_notify('${channel}', id)::text FROM held`,
);

/**
 * Stores what became known of a run, in one statement: the later report of a node over the earlier, for after a
 * take-over they all come again. Does nothing once the lease is lost.
 */
export async function reportProgress(
  { pool }: Pick<Context, 'pool'>,
  { runId, token }: Lease,
  { steps, invocations, nodes, nodesTotal }: ProgressReport,
): Promise<void> {
  if (steps.length + invocations.length + nodes.length === 0 && nodesTotal === null) return;
  const latest = new Map(nodes.map((node) => [`${node.step} ${node.uniqueId}`, node]));
  const rows = JSON.stringify(stepRows(steps, invocations));
  await storeProgress(pool, [runId, token, rows, JSON.stringify([...latest.values()]), nodesTotal]);
}

/** One a step: what is known of its course, and how dbt was invoked for it. */
function stepRows(steps: StepReport[], invocations: InvocationReport[]): object[] {
  const rows = new Map<number, object>();
  for (const { number, startedAt, end } of steps) {
    rows.set(number, {
      number,
      status: end === null ? 'running' : end.exitCode === 0 ? 'success' : 'failed',
      hasBegun: true,
      exitCode: end?.exitCode,
      errorMessage: end?.error,
      startedAt,
      finishedAt: end?.finishedAt,
    });
  }
  for (const { step: number, ...invocation } of invocations) {
    rows.set(number, { number, status: 'running', hasBegun: false, ...rows.get(number), ...invocation });
  }
  return [...rows.values()];
}

/** Part of the statement that ends runs, there `ended`: of nodes that were not heard of again nothing more will come. */
export const settleNodes = Prisma.sql`
  UPDATE node_results SET
    status = CASE node_results.status WHEN 'queued' THEN 'skipped' ELSE 'interrupted' END,
    message = CASE node_results.status WHEN 'queued' THEN ${neverBegan} ELSE message END
  FROM ended WHERE run_id = ended.id AND node_results.status IN ('queued', 'started')`;

/**
 * Stores where a step's part of the log begins. To be called before that part is stored: whoever reads the log then
 * knows where the part before it ends. A row without `started_at` stands for no more than that.
 */
export async function reportSection(
  db: Database,
  { runId, token }: Lease,
  section: { step: number; from: number },
): Promise<void> {
  await db.$executeRaw`
    INSERT INTO run_steps (run_id, number, status, log_from)
    SELECT id, ${section.step}::integer, 'running', ${section.from}::bigint FROM runs WHERE id = ${runId} AND lease_token = ${token}
    ON CONFLICT (run_id, number) DO UPDATE SET log_from = EXCLUDED.log_from`;
}

/**
 * Records collected artifacts: all are stored now. Collecting again records the same.
 *
 * @returns the ids of the webhooks that waited for that, which may be sent now
 */
export async function recordArtifacts(
  db: Database,
  runId: string,
  artifacts: { step: number; path: string; sizeBytes: number }[],
): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string | null }[]>`
    WITH recorded AS (
      INSERT INTO artifacts (run_id, step, path, size_bytes)
      SELECT ${runId}, a.step, a.path, a."sizeBytes"
      FROM jsonb_to_recordset(${JSON.stringify(artifacts)}::jsonb) AS a(step integer, path text, "sizeBytes" bigint)
      ON CONFLICT (run_id, step, path) DO UPDATE SET size_bytes = EXCLUDED.size_bytes),
    settled AS (
      UPDATE runs SET artifacts_pending = false, lease_expires_at = NULL WHERE id = ${runId} AND artifacts_pending
      RETURNING pg_notify(${channel}, id)::text AS told),
    released AS (${releaseHeld(runId)})
    SELECT id, NULL AS told FROM released UNION ALL SELECT NULL, told FROM settled`;
  return rows.flatMap(({ id }) => id ?? []);
}
