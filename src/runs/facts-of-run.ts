import type { Database, Transaction } from '../db.ts';
import { shownFailedNodes, type RunFacts } from '../hooks/run-values.ts';
import { eventOf, isFinal, unfailedNodeStatuses } from './status.ts';

/** What hooks may know of a run that has ended, as it is within a transaction; null when there is none. */
export async function factsOfRun(
  db: Database | Transaction,
  organizationId: string,
  runId: string,
): Promise<RunFacts | null> {
  const [found] = await db.$queryRaw<Omit<RunFacts, 'event'>[]>`
    SELECT runs.id, job_id AS "jobId", jobs.name AS "jobName", projects.name AS "projectName", runs.status,
      triggered_by AS "triggeredBy", runs.command, cause, error_message AS "errorMessage", started_at AS "startedAt",
      finished_at AS "finishedAt", duration_ms::float8 AS "durationMs", nodes.rows, nodes.failed AS "nodesFailed",
      nodes.failed_ids AS "failedNodes"
    FROM runs
    JOIN jobs ON jobs.id = runs.job_id
    JOIN projects ON projects.id = runs.project_id
    CROSS JOIN LATERAL (
      SELECT COALESCE(sum(rows_affected) FILTER (WHERE rows_affected >= 0), 0)::text AS rows,
        (count(DISTINCT unique_id) FILTER (WHERE has_failed))::float8 AS failed,
        COALESCE((array_agg(DISTINCT unique_id) FILTER (WHERE has_failed))[1:${shownFailedNodes}], '{}') AS failed_ids
      FROM (
        SELECT unique_id, rows_affected, status <> ALL(${unfailedNodeStatuses}) AS has_failed
        FROM node_results WHERE run_id = runs.id) AS results) AS nodes
    WHERE runs.id = ${runId} AND runs.organization_id = ${organizationId}`;
  if (found === undefined || !isFinal(found.status)) return null;
  return { ...found, event: eventOf(found.status) };
}
