import type pg from 'pg';

const jobCount = 50;
const chunk = 50_000;

/**
 * Gives the newest project of a database a past: `count` runs of 50 jobs over a year, up to an hour ago. The jobs differ
 * much in how often they ran; of a hundred runs ten failed in one way or another, one was retried, and five have the
 * results of their nodes. Each has its step and its line in the audit log.
 *
 * The rows are written past the checks between tables: a million takes about a minute.
 */
export async function fillWithRuns(pool: pg.Pool, count: number): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SET LOCAL session_replication_role = replica');
    await client.query('SET LOCAL statement_timeout = 0');
    await client.query(jobs, [jobCount]);
    for (let first = 1; first <= count; first += chunk) {
      const last = Math.min(count, first + chunk - 1);
      for (const text of [runs, retries, steps, nodes, audit]) {
        const uses = new Set(text.match(/\$[1-4]/g));
        await client.query(text, [first, last, count, jobCount].slice(0, uses.size));
      }
    }
    await client.query('COMMIT');
    for (const table of ['runs', 'run_steps', 'node_results', 'audit_events', 'jobs'])
      await client.query(`VACUUM (ANALYZE) ${table}`);
  } finally {
    client.release();
  }
}

/** `n` counts from the oldest run. */
const idOf = (n: string) => `md5('run ' || ${n})::uuid::text`;

const jobs = `
  INSERT INTO jobs (id, project_id, environment_id, name, commands, timeout_seconds, max_parallel_runs)
  SELECT 'past-' || n, project_id, environments.id, 'past ' || n, '{dbt build}', 3600, 1
  FROM generate_series(1, $1::integer) AS n, environments
  WHERE environments.id = (SELECT id FROM environments ORDER BY created_at DESC LIMIT 1)`;

const runs = `
  INSERT INTO runs (id, organization_id, project_id, job_id, deployment_id, environment_id, name, command, triggered_by,
    requested_by, settings, status, status_reason, error_message, exit_code, created_at, started_at, finished_at,
    duration_ms, worker_name, fence, launched_at, container_id, container_gone_at, nodes_total, log_bytes)
  SELECT ${idOf('n')}, projects.organization_id, projects.id, jobs.id, projects.deployment_id, jobs.environment_id,
    jobs.name || '-' || cause || '-' || n, 'dbt build', cause, 'the past',
    jsonb_build_object('steps', jsonb_build_array(jsonb_build_object('command', 'dbt build', 'argv', '["dbt", "build"]'::jsonb)),
      'timeoutSeconds', 3600, 'environment', jsonb_build_object('id', jobs.environment_id, 'name', 'production')),
    status, CASE status WHEN 'error' THEN 'timed_out' END, CASE WHEN status <> 'success' THEN 'it went wrong' END,
    CASE status WHEN 'success' THEN 0 WHEN 'error' THEN NULL ELSE 1 END,
    at, at + interval '1 second', at + interval '1 minute', 59000, 'worker', 1, at + interval '1 second',
    md5('container ' || n), at + interval '1 minute', 28, 4000
  FROM (
    SELECT n, now() - interval '1 hour' - interval '1 year' * (1 - n / $3::float8) AS at,
      1 + floor($4::integer * power((hashint8(n) & 65535) / 65536.0, 3))::integer AS job,
      (ARRAY['success', 'failed', 'partial', 'error'])[CASE WHEN n % 100 < 90 THEN 1 WHEN n % 100 < 94 THEN 2 WHEN n % 100 < 98 THEN 3 ELSE 4 END] AS status,
      (ARRAY['schedule', 'manual', 'api', 'event', 'retry'])[CASE WHEN n % 99 < 60 THEN 1 WHEN n % 99 < 75 THEN 2 WHEN n % 99 < 90 THEN 3 WHEN n % 99 < 98 THEN 4 ELSE 5 END] AS cause
    FROM generate_series($1::bigint, $2::bigint) AS n) AS past
  JOIN jobs ON jobs.id = 'past-' || job
  JOIN projects ON projects.id = jobs.project_id`;

const retries = `
  UPDATE runs SET retry_of = ${idOf('(n - 1)')}, attempt = 2
  FROM generate_series($1::bigint + 1, $2::bigint) AS n WHERE id = ${idOf('n')} AND triggered_by = 'retry'`;

const steps = `
  INSERT INTO run_steps (run_id, number, status, exit_code, started_at, finished_at)
  SELECT id, 1, CASE status WHEN 'success' THEN 'success' ELSE 'failed' END, exit_code, started_at, finished_at
  FROM generate_series($1::bigint, $2::bigint) AS n JOIN runs ON id = ${idOf('n')}`;

const nodes = `
  INSERT INTO node_results (run_id, unique_id, resource_type, status, started_at, finished_at, duration_seconds, step)
  SELECT id, 'model.shop.' || node, 'model', 'success', started_at, finished_at, 1, 1
  FROM generate_series($1::bigint, $2::bigint) AS n JOIN runs ON id = ${idOf('n')}, generate_series(1, 28) AS node
  WHERE n % 20 = 0`;

const audit = `
  INSERT INTO audit_events (id, organization_id, created_at, actor_kind, actor_name, action, subject_kind, subject_id, details)
  SELECT md5('audit ' || n)::uuid::text, organization_id, created_at, 'system', requested_by, 'run.triggered', 'run', id,
    jsonb_build_object('job_id', job_id, 'triggered_by', triggered_by)
  FROM generate_series($1::bigint, $2::bigint) AS n JOIN runs ON id = ${idOf('n')}`;
