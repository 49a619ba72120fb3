import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { artifactKey } from '../../src/runs/artifact-path.ts';
import type { DeployedProject } from '../support/project.ts';
import type { System } from '../support/system.ts';

/** Text that would act if it were not shown as text. */
export const hostile = `"><img src=x onerror="document.title='hostile'"><script>document.title='hostile'</script>{{7*7}}`;

/** What was compiled of one that did not fail. */
const sqlFile = 'compiled/large/models/layer_1_model_0.sql';
const layers = [20, 280, 400, 300];

/** A run of 1,000 models that has ended, each on one of eight threads, with a log of `logLines`; one model failed. */
export async function insertLargeRun(
  { pool, organizationId, environment }: System,
  { projectId, jobId, environmentId }: DeployedProject,
  { logLines }: { logLines: number },
): Promise<{ id: string; failed: string }> {
  const id = randomUUID();
  const failed = `model.large.${hostile.replaceAll('.', '-')}`;
  const ids = layers.flatMap((count, layer) =>
    Array.from({ length: count }, (_, place) =>
      layer === 3 && place === 299 ? failed : `model.large.layer_${layer}_model_${place}`,
    ),
  );
  await pool.query(
    `INSERT INTO runs (id, organization_id, project_id, job_id, deployment_id, environment_id, name, command,
       triggered_by, requested_by, cause, metadata, settings, status, error_message, exit_code, created_at, started_at,
       finished_at, duration_ms, nodes_total)
     SELECT $1, $2, $3, $4, deployment_id, $5, 'large-run', 'dbt build', 'manual', $6, $6, $7,
       '{"steps": [{"command": "dbt build", "argv": ["dbt", "build"]}], "timeoutSeconds": 3600,
         "environment": {"id": "e", "name": "production"}}',
       'partial', $6, 1, now() - interval '5 minutes', now() - interval '5 minutes', now(), 300000, 1000
     FROM projects WHERE id = $3`,
    [id, organizationId, projectId, jobId, environmentId, hostile, JSON.stringify({ [hostile]: hostile })],
  );
  await pool.query(
    `INSERT INTO run_steps (run_id, number, status, exit_code, started_at, finished_at, log_from)
     VALUES ($1, 1, 'failed', 1, now() - interval '5 minutes', now(), 0)`,
    [id],
  );
  await pool.query(
    `INSERT INTO node_results (run_id, unique_id, resource_type, status, started_at, finished_at, duration_seconds,
       message, thread, step)
     SELECT $1, unique_id, 'model', CASE WHEN unique_id = $3 THEN 'error' WHEN n % 97 = 0 THEN 'skipped' ELSE 'success' END,
       now() - interval '5 minutes' + interval '2 seconds' * (n / 8), now() - interval '5 minutes' + interval '2 seconds' * (n / 8) + interval '1.8 seconds',
       1.8, CASE WHEN unique_id = $3 THEN $4 ELSE 'OK' END, 'Thread-' || (1 + n % 8), 1
     FROM unnest($2::text[]) WITH ORDINALITY AS node (unique_id, n)`,
    [id, ids, failed, `Database Error: ${hostile}`],
  );
  const lines = Array.from({ length: logLines }, (_, line) =>
    line === logLines - 10
      ? `12:00:00  1 of 1000 \u001b[31mERROR\u001b[0m creating ${hostile}`
      : `12:00:00  ${line} of ${logLines} START sql table model main.layer_1_model_${line} ${'.'.repeat(line % 60)} [RUN]`,
  );
  const log = Buffer.from(`${lines.join('\n')}\n`);
  const chunk = 100_000;
  for (let at = 0; at < log.length; at += chunk) {
    await pool.query('INSERT INTO log_chunks (run_id, starts_at, content) VALUES ($1, $2, $3)', [
      id,
      at,
      log.subarray(at, at + chunk),
    ]);
  }
  await pool.query('UPDATE runs SET log_bytes = $2 WHERE id = $1', [id, log.length]);
  await storeArtifact(environment['DCTL_STORAGE_DIR']!, id, 'manifest.json', JSON.stringify(manifestOf(ids)));
  await storeArtifact(environment['DCTL_STORAGE_DIR']!, id, sqlFile, `select '${hostile}'`);
  await pool.query(
    `INSERT INTO artifacts (run_id, path, size_bytes) VALUES ($1, 'manifest.json', 1), ($1, $2, 1)`,
    [id, sqlFile],
  );
  return { id, failed };
}

/** A run that ended, as a list shows it. */
export interface PastRun {
  jobId: string;
  name: string;
  command: string;
  status: 'success' | 'partial' | 'failed';
  triggeredBy: 'schedule' | 'api' | 'manual';
  by: string | null;
  cause: string | null;
  minutesAgo: number;
  seconds: number;
}

export async function insertPastRuns(
  { pool, organizationId }: System,
  { projectId, environmentId }: DeployedProject,
  past: PastRun[],
): Promise<void> {
  for (const { jobId, name, command, status, triggeredBy, by, cause, minutesAgo, seconds } of past) {
    const id = randomUUID();
    const steps = [{ command, argv: command.split(' ') }];
    const environment = { id: environmentId, name: 'production' };
    await pool.query(
      `INSERT INTO runs (id, organization_id, project_id, job_id, deployment_id, environment_id, name, command,
         triggered_by, requested_by, cause, settings, status, error_message, exit_code, created_at, started_at,
         finished_at, duration_ms, nodes_total)
       SELECT $1, $2, $3, $4, deployment_id, $5, $6, $7, $8, $9, $10, $11, $12::text,
         CASE WHEN $12::text <> 'success' THEN '1 of 29 nodes failed, 3 skipped: test.jaffle_shop.unique_orders_order_id: Got 2 results' END,
         CASE WHEN $12::text = 'success' THEN 0 ELSE 1 END, at, at + interval '0.4 seconds',
         at + interval '0.4 seconds' + interval '1 second' * $14::float8, $14::float8 * 1000, 29
       FROM projects, (SELECT now() - interval '1 minute' * $13::float8 AS at) AS began WHERE projects.id = $3`,
      [
        id,
        organizationId,
        projectId,
        jobId,
        environmentId,
        name,
        command,
        triggeredBy,
        by,
        cause,
        JSON.stringify({ steps, timeoutSeconds: 3_600, environment }),
        status,
        minutesAgo,
        seconds,
      ],
    );
    await pool.query(
      `INSERT INTO run_steps (run_id, number, status, exit_code, started_at, finished_at, log_from)
       SELECT id, 1, CASE status WHEN 'success' THEN 'success' ELSE 'failed' END, exit_code, started_at, finished_at, 0
       FROM runs WHERE id = $1`,
      [id],
    );
  }
}

async function storeArtifact(folder: string, runId: string, path: string, content: string): Promise<void> {
  const file = join(folder, artifactKey(runId, 1, path));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** Each model reads two of the layer before. */
function manifestOf(ids: string[]) {
  let first = 0;
  const parents = layers.flatMap((count, layer) => {
    const before = layer === 0 ? [] : ids.slice(first - layers[layer - 1]!, first);
    first += count;
    return Array.from({ length: count }, (_, place) =>
      before.length === 0
        ? []
        : [before[(place * 7) % before.length]!, before[(place * 13 + 5) % before.length]!],
    );
  });
  return {
    nodes: Object.fromEntries(ids.map((id) => [id, { resource_type: 'model' }])),
    parent_map: Object.fromEntries(ids.map((id, place) => [id, parents[place]])),
  };
}
