import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import { statement } from '../db.ts';
import { jobToRun } from '../jobs/job-to-run.ts';
import type { jobTrends, usualDurationList } from './schema.ts';
import type { RunStatus } from './status.ts';

/** So many of a job's good runs tell what it usually takes. */
const usualRuns = 20;
/** Among so many of its last good ones: others do only a part of what the job does. */
const lookedAt = 100;
/** Nodes are looked at in so many of the newest runs. */
const nodeRuns = 20;
const shownNodes = 20;
const maxJobs = 5_000;

/** How a job has done lately: its last runs that came to an end, what they usually take, and on what. */
export async function trendsOf(
  { pool }: Context,
  { organizationId }: Principal,
  { projectId, jobId }: { projectId: string; jobId: string },
  runs: number,
): Promise<z.input<typeof jobTrends>> {
  await jobToRun(pool, { organizationId, projectId, jobId });
  const ended = await endedRuns(pool, [jobId, runs]);
  const looked = ended.slice(0, nodeRuns).map(({ id }) => id);
  const [[usual], nodes] = await Promise.all([
    usualDurations(pool, [organizationId, jobId, 1]),
    slowestNodes(pool, [looked, shownNodes]),
  ]);
  const counts = { success: 0, partial: 0, failed: 0, error: 0 };
  for (const { status } of ended) counts[status] += 1;
  return {
    usual_duration_seconds: usual === undefined ? null : usual.seconds,
    success_rate: ended.length === 0 ? null : counts.success / ended.length,
    counts,
    runs: ended.map(({ id, status, createdAt, seconds }) => ({
      id,
      status,
      created_at: createdAt.toISOString(),
      duration_seconds: seconds,
    })),
    slowest_nodes: nodes.map(({ uniqueId, resourceType, usual: median, longest, count }) => ({
      unique_id: uniqueId,
      resource_type: resourceType,
      usual_seconds: median,
      longest_seconds: longest,
      runs: count,
    })),
  };
}

/** What each job of the organization usually takes; without those that have had no good run. */
export async function usualDurationsOf(
  { pool }: Context,
  { organizationId }: Principal,
): Promise<z.input<typeof usualDurationList>> {
  const rows = await usualDurations(pool, [organizationId, null, maxJobs]);
  return {
    data: rows.map(({ jobId, seconds, count }) => ({
      job_id: jobId,
      usual_duration_seconds: seconds,
      runs: count,
    })),
    next_cursor: null,
  };
}

const endedRuns = statement<{
  id: string;
  status: Exclude<RunStatus, 'queued' | 'running'>;
  createdAt: Date;
  seconds: number | null;
}>(
  'ended runs of job',
  `SELECT found.id, found.status, created_at AS "createdAt", duration_ms::float8 / 1000 AS seconds
  FROM unnest(ARRAY['success', 'partial', 'failed', 'error']) AS wanted (status)
  CROSS JOIN LATERAL (
    SELECT * FROM runs WHERE job_id = $1 AND runs.status = wanted.status
    ORDER BY created_at DESC, id DESC LIMIT $2::integer) AS found
  ORDER BY created_at DESC, found.id DESC LIMIT $2::integer`,
);

/**
 * The median of a job's last good runs of all that it does: without those of another command, and without retries, which
 * only do what was left.
 */
const usualDurations = statement<{ jobId: string; seconds: number; count: number }>(
  'usual durations',
  `SELECT jobs.id AS "jobId", count(*)::float8 AS count,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY found.duration_ms::float8) / 1000 AS seconds
  FROM jobs
  JOIN projects ON projects.id = jobs.project_id
  CROSS JOIN LATERAL (
    SELECT duration_ms FROM (
      SELECT * FROM runs WHERE job_id = jobs.id AND status = 'success'
      ORDER BY created_at DESC, id DESC LIMIT ${lookedAt}) AS good
    WHERE command_override IS NULL AND retry_of IS NULL AND duration_ms IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT ${usualRuns}) AS found
  WHERE organization_id = $1 AND jobs.deleted_at IS NULL AND projects.deleted_at IS NULL
    AND ($2::text IS NULL OR jobs.id = $2)
  GROUP BY jobs.id ORDER BY jobs.id LIMIT $3::integer`,
);

/** What a node took in a run is what its steps took together. Of those that only compile, nobody waits for a warehouse. */
const slowestNodes = statement<{
  uniqueId: string;
  resourceType: string;
  usual: number;
  longest: number;
  count: number;
}>(
  'slowest nodes',
  `WITH compiling AS (
    SELECT id AS run_id, place FROM runs
    CROSS JOIN LATERAL jsonb_array_elements(settings->'steps') WITH ORDINALITY AS steps (step, place)
    WHERE id = ANY($1::text[]) AND step->'argv'->>0 IN ('compile', 'docs')),
  took AS (
    SELECT run_id, unique_id, min(resource_type) AS resource_type, sum(duration_seconds) AS seconds FROM node_results
    WHERE run_id = ANY($1::text[]) AND duration_seconds IS NOT NULL AND status NOT IN ('queued', 'started', 'skipped')
      AND (run_id, step) NOT IN (SELECT run_id, place FROM compiling)
    GROUP BY run_id, unique_id)
  SELECT unique_id AS "uniqueId", min(resource_type) AS "resourceType", max(seconds) AS longest,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS usual, count(*)::float8 AS count
  FROM took GROUP BY unique_id ORDER BY usual DESC, unique_id LIMIT $2::integer`,
);
