import { announceRunChange } from '../changes.ts';
import type { Database } from '../db.ts';
import type { Lease } from './lease.ts';

/** What is known of one of dbt's nodes, at any time of its life. Times are ISO 8601 texts. */
export interface NodeReport {
  uniqueId: string;
  resourceType: string;
  /** dbt's own word, or `started`. */
  status: string;
  startedAt: string | null;
  finishedAt: string | null;
  durationSeconds: number | null;
  rowsAffected: number | null;
  message: string | null;
  thread: string | null;
}

/** Stores what became known of nodes, the later report over the earlier. Does nothing once the lease is lost. */
export async function reportNodes(
  db: Database,
  { runId, token }: Lease,
  reports: NodeReport[],
): Promise<void> {
  if (reports.length === 0) return;
  const latest = [...new Map(reports.map((report) => [report.uniqueId, report])).values()];
  await db.$executeRaw`
    INSERT INTO node_results (run_id, unique_id, resource_type, status, started_at, finished_at,
      duration_seconds, rows_affected, message, thread)
    SELECT runs.id, n."uniqueId", n."resourceType", n.status, n."startedAt", n."finishedAt",
      n."durationSeconds", n."rowsAffected", n.message, n.thread
    FROM runs, jsonb_to_recordset(${JSON.stringify(latest)}::jsonb) AS n("uniqueId" text, "resourceType" text,
      status text, "startedAt" timestamptz, "finishedAt" timestamptz, "durationSeconds" double precision,
      "rowsAffected" bigint, message text, thread text)
    WHERE runs.id = ${runId} AND runs.lease_token = ${token}
    ON CONFLICT (run_id, step, unique_id) DO UPDATE SET
      status = EXCLUDED.status,
      started_at = COALESCE(EXCLUDED.started_at, node_results.started_at),
      finished_at = EXCLUDED.finished_at,
      duration_seconds = EXCLUDED.duration_seconds,
      rows_affected = EXCLUDED.rows_affected,
      message = EXCLUDED.message,
      thread = COALESCE(EXCLUDED.thread, node_results.thread)`;
  await announceRunChange(db, runId);
}

/** Stores how many nodes dbt is going to work on. */
export async function reportTotal(db: Database, { runId, token }: Lease, nodesTotal: number): Promise<void> {
  await db.$executeRaw`UPDATE runs SET nodes_total = ${nodesTotal} WHERE id = ${runId} AND lease_token = ${token}`;
}

/** Records collected artifacts. Collecting again after a take-over records the same. */
export async function recordArtifacts(
  db: Database,
  runId: string,
  artifacts: { path: string; sizeBytes: number }[],
): Promise<void> {
  await db.$executeRaw`
    INSERT INTO artifacts (run_id, path, size_bytes)
    SELECT ${runId}, a.path, a."sizeBytes"
    FROM jsonb_to_recordset(${JSON.stringify(artifacts)}::jsonb) AS a(path text, "sizeBytes" bigint)
    ON CONFLICT (run_id, step, path) DO UPDATE SET size_bytes = EXCLUDED.size_bytes`;
}
