import { announceRunChange } from '../changes.ts';
import type { Database, Transaction } from '../db.ts';
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

/**
 * Stores what became known of nodes, the later report over the earlier: after a take-over they all come again. Does
 * nothing once the lease is lost.
 */
export async function reportNodes(
  db: Database,
  { runId, token }: Lease,
  reports: NodeReport[],
): Promise<void> {
  if (reports.length === 0) return;
  const latest = [
    ...new Map(reports.map((report) => [`${report.step} ${report.uniqueId}`, report])).values(),
  ];
  await db.$executeRaw`
    INSERT INTO node_results (run_id, step, unique_id, resource_type, status, started_at, finished_at,
      duration_seconds, rows_affected, message, thread, timing, adapter_response, failures, relation_name)
    SELECT runs.id, n.step, n."uniqueId", n."resourceType", n.status, n."startedAt", n."finishedAt",
      n."durationSeconds", n."rowsAffected", n.message, n.thread, n.timing, n."adapterResponse", n.failures, n."relationName"
    FROM runs, jsonb_to_recordset(${JSON.stringify(latest)}::jsonb) AS n(step integer, "uniqueId" text,
      "resourceType" text, status text, "startedAt" timestamptz, "finishedAt" timestamptz, "durationSeconds" double precision,
      "rowsAffected" bigint, message text, thread text, timing jsonb, "adapterResponse" jsonb, failures bigint, "relationName" text)
    WHERE runs.id = ${runId} AND runs.lease_token = ${token}
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
    WHERE EXCLUDED.status <> 'queued'`;
  await announceRunChange(db, runId);
}

/** To be called when a run ends, whoever ends it: of nodes that were not heard of again nothing more will come. */
export async function settleNodes(tx: Transaction, runId: string): Promise<void> {
  await tx.$executeRaw`
    UPDATE node_results SET
      status = CASE status WHEN 'queued' THEN 'skipped' ELSE 'interrupted' END,
      message = CASE status WHEN 'queued' THEN ${neverBegan} ELSE message END
    WHERE run_id = ${runId} AND status IN ('queued', 'started')`;
}

/** What is known of a step that has begun. Times are ISO 8601 texts. */
export interface StepReport {
  number: number;
  startedAt: string | null;
  /** Null while it runs. */
  end: { exitCode: number; error: string | null; finishedAt: string | null } | null;
}

/** Stores what became known of steps. What an earlier worker stored of a step's end stays. */
export async function reportSteps(
  db: Database,
  { runId, token }: Lease,
  reports: StepReport[],
): Promise<void> {
  if (reports.length === 0) return;
  const rows = reports.map(({ number, startedAt, end }) => ({
    number,
    status: end === null ? 'running' : end.exitCode === 0 ? 'success' : 'failed',
    exitCode: end?.exitCode,
    errorMessage: end?.error,
    startedAt,
    finishedAt: end?.finishedAt,
  }));
  await db.$executeRaw`
    INSERT INTO run_steps (run_id, number, status, exit_code, error_message, started_at, finished_at)
    SELECT runs.id, s.number, s.status, s."exitCode", s."errorMessage", COALESCE(s."startedAt", clock_timestamp()),
      CASE WHEN s.status <> 'running' THEN COALESCE(s."finishedAt", clock_timestamp()) END
    FROM runs, jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS s(number integer, status text,
      "exitCode" integer, "errorMessage" text, "startedAt" timestamptz, "finishedAt" timestamptz)
    WHERE runs.id = ${runId} AND runs.lease_token = ${token}
    ON CONFLICT (run_id, number) DO UPDATE SET
      status = CASE WHEN EXCLUDED.status = 'running' THEN run_steps.status ELSE EXCLUDED.status END,
      exit_code = COALESCE(EXCLUDED.exit_code, run_steps.exit_code),
      error_message = COALESCE(EXCLUDED.error_message, run_steps.error_message),
      started_at = COALESCE(run_steps.started_at, EXCLUDED.started_at),
      finished_at = COALESCE(EXCLUDED.finished_at, run_steps.finished_at)`;
  await announceRunChange(db, runId);
}

/** How dbt was invoked for a step. */
export interface InvocationReport {
  step: number;
  invocationId: string | null;
  dbtVersion: string | null;
  /** As dbt writes them to run_results.json. */
  arguments: Record<string, unknown> | null;
}

export async function reportInvocation(
  db: Database,
  { runId, token }: Lease,
  report: InvocationReport,
): Promise<void> {
  await db.$executeRaw`
    INSERT INTO run_steps (run_id, number, status, arguments, invocation_id, program_version)
    SELECT id, ${report.step}::integer, 'running', ${report.arguments && JSON.stringify(report.arguments)}::jsonb,
      ${report.invocationId}, ${report.dbtVersion}
    FROM runs WHERE id = ${runId} AND lease_token = ${token}
    ON CONFLICT (run_id, number) DO UPDATE SET
      arguments = EXCLUDED.arguments,
      invocation_id = EXCLUDED.invocation_id,
      program_version = EXCLUDED.program_version`;
}

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

/** Stores how many nodes dbt is going to work on. */
export async function reportTotal(db: Database, { runId, token }: Lease, nodesTotal: number): Promise<void> {
  await db.$executeRaw`UPDATE runs SET nodes_total = ${nodesTotal} WHERE id = ${runId} AND lease_token = ${token}`;
}

/** Records collected artifacts. Collecting again after a take-over records the same. */
export async function recordArtifacts(
  db: Database,
  runId: string,
  artifacts: { step: number; path: string; sizeBytes: number }[],
): Promise<void> {
  await db.$executeRaw`
    INSERT INTO artifacts (run_id, step, path, size_bytes)
    SELECT ${runId}, a.step, a.path, a."sizeBytes"
    FROM jsonb_to_recordset(${JSON.stringify(artifacts)}::jsonb) AS a(step integer, path text, "sizeBytes" bigint)
    ON CONFLICT (run_id, step, path) DO UPDATE SET size_bytes = EXCLUDED.size_bytes`;
}
