import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openApiClient, type ApiClient } from '../scripts/setup/api-client.ts';
import { packFolder } from '../scripts/setup/archive.ts';
import { freePort } from '../scripts/setup/port.ts';
import { readIfThere, runCommand, startService, until, type Service } from '../scripts/setup/processes.ts';

const root = join(import.meta.dirname, '..');
export const exampleFolder = join(root, 'examples', 'jaffle_shop');

/** What every measurement is handed. */
export interface Bench {
  /** Of a server; each system makes its own database on it. */
  postgresUrl: string;
  image: string;
  logFolder: string;
  /** Remembers what to do at the end, however that comes; the last one is done first. */
  atEnd(undo: () => Promise<unknown>): void;
  say(line: string): void;
}

/** An API, and a worker when asked for, on a database of their own; a project is deployed. */
export interface System {
  url: string;
  databaseUrl: string;
  headers: Record<string, string>;
  client: ApiClient;
  pool: pg.Pool;
  api: Service;
  organizationId: string;
  projectId: string;
  /** The one that jobs run in when they name none. */
  environmentId: string;
  createJob(fields: Record<string, unknown>): Promise<string>;
  startWorker(environment?: Record<string, string>): Promise<Worker>;
  startService(name: string, script: string, environment: NodeJS.ProcessEnv): Service;
}

export interface Worker extends Service {
  /** What it counts, as text for Prometheus. */
  metrics(): Promise<string>;
}

export async function startSystem(
  bench: Bench,
  options: { environment?: Record<string, string>; folder?: string } = {},
): Promise<System> {
  const { url: databaseUrl, pool } = await createDatabase(bench);
  const storage = await mkdtemp(join(tmpdir(), 'dctl-bench-'));
  bench.atEnd(() => rm(storage, { recursive: true, force: true }));
  const port = await freePort();
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    DATABASE_URL: databaseUrl,
    DCTL_PORT: String(port),
    DCTL_SECRET_KEY: randomBytes(32).toString('base64'),
    DCTL_STORAGE_DIR: storage,
    DCTL_RUNNER_IMAGE: bench.image,
    DCTL_WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8',
    DCTL_RATE_PER_TOKEN: '0',
    DCTL_RATE_PER_ADDRESS: '0',
    ...options.environment,
  };

  const bootstrap = ['dist/src/bootstrap.js', '--new-token'];
  const made = await runCommand(process.execPath, bootstrap, { cwd: root, env: environment });
  const { organization_id: organizationId, token } = JSON.parse(made) as Record<string, string>;
  if (organizationId === undefined || token === undefined) throw new Error('the bootstrap made no token');

  const start = (name: string, script: string, env: NodeJS.ProcessEnv) => {
    const logFile = join(bench.logFolder, `${new URL(databaseUrl).pathname.slice(1)}-${name}.log`);
    const service = startService(name, { script, env, cwd: root, logFile });
    bench.atEnd(() => service.stop());
    return service;
  };
  // Undone after the processes have ended: a worker may start a container until then.
  bench.atEnd(() => removeTraces(pool));
  const url = `http://127.0.0.1:${port}`;
  const api = start('api', 'dist/src/main.js', environment);
  await ready(api, () => isServing(url));

  const client = openApiClient({ url, token, organizationId });
  const project = await client.call<{ id: string }>('POST', '/api/v1/projects', {
    name: 'bench',
    type: 'dbt',
  });
  const { data: environments } = await client.call<{ data: { id: string }[] }>(
    'GET',
    `/api/v1/projects/${project.id}/environments`,
  );
  const archive = await packFolder(options.folder ?? exampleFolder);
  await client.upload(`/api/v1/projects/${project.id}/deployments`, archive);

  let workers = 0;
  return {
    url,
    databaseUrl,
    headers: { authorization: `Bearer ${token}` },
    client,
    pool,
    api,
    organizationId,
    projectId: project.id,
    environmentId: environments[0]?.id ?? '',
    async createJob(fields) {
      const job = { name: `job-${randomBytes(3).toString('hex')}`, command: 'dbt build', ...fields };
      const path = `/api/v1/projects/${project.id}/jobs`;
      return (await client.call<{ id: string }>('POST', path, job)).id;
    },
    async startWorker(more = {}) {
      const workerPort = await freePort();
      const settings = { ...environment, DCTL_WORKER_PORT: String(workerPort), ...more };
      workers += 1;
      const worker = start(`worker-${workers}`, 'dist/worker/main.js', settings);
      await ready(worker, async () => readIfThere(worker.logFile)?.includes('"working"') ?? false);
      const metrics = async () => (await fetch(`http://127.0.0.1:${workerPort}/metrics`)).text();
      return { ...worker, metrics };
    },
    startService: start,
  };
}

export function triggerPath(system: System, jobId: string): string {
  return `/api/v1/projects/${system.projectId}/jobs/${jobId}/trigger`;
}

export interface EndedRun {
  runId: string;
  /** From the POST until the run was seen as ended. */
  tookMs: number;
}

/**
 * Triggers a job, follows its log, which ends with the run, and asks for the run then, as a client would who wants to know
 * at once. Throws when the run is no success.
 */
export async function runToEnd(system: System, jobId: string): Promise<EndedRun> {
  const { url, headers, client } = system;
  const startedAt = performance.now();
  const { job_run_id: runId } = await client.call<{ job_run_id: string }>(
    'POST',
    triggerPath(system, jobId),
    {},
  );
  const log = await fetch(`${url}/api/v1/runs/${runId}/logs?follow=1`, { headers });
  for await (const chunk of log.body ?? []) void chunk;
  await seeSuccess(system, runId, 2);
  return { runId, tookMs: performance.now() - startedAt };
}

/** Asks for the run until it has ended. Throws when it is no success. */
export async function seeSuccess(system: System, runId: string, everyMs: number): Promise<void> {
  for (;;) {
    const run = await system.client.call<{ status: string; error_message: string | null }>(
      'GET',
      `/api/v1/runs/${runId}`,
    );
    if (run.status === 'success') return;
    if (run.status !== 'queued' && run.status !== 'running')
      throw new Error(`run ${runId} ended as ${run.status}: ${run.error_message}`);
    await sleep(everyMs);
  }
}

/** What dbt says the run took, in milliseconds. */
export async function ownTime(system: System, runId: string): Promise<number> {
  const artifact = `/api/v1/runs/${runId}/artifacts/run_results.json`;
  return ownTimeOf(await system.client.call('GET', artifact));
}

/** Of dbt's run_results.json. */
export function ownTimeOf(results: { elapsed_time: number }): number {
  return results.elapsed_time * 1_000;
}

/** Removes containers and their volumes. */
export async function removeContainers(label: string): Promise<void> {
  const ids = await list(['ps', '--all'], label);
  if (ids.length > 0)
    await runCommand('docker', ['rm', '--force', '--volumes', ...ids]).catch(() => undefined);
}

export async function removeVolumes(label: string): Promise<void> {
  const names = await list(['volume', 'ls'], label);
  if (names.length > 0) await runCommand('docker', ['volume', 'rm', '--force', ...names]);
}

export async function installationLabel(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM installation');
  return `dctl.installation_id=${rows[0]?.id}`;
}

/** Waits until a service is ready, but not longer than it lives. */
export async function ready(service: Service, isReady: () => Promise<boolean>): Promise<void> {
  const died = service.ended.then((how) => {
    throw new Error(`the ${service.name} ${how}: see ${service.logFile}`);
  });
  const came = await Promise.race([until(60_000, async () => (await isReady()) || undefined), died]);
  if (came === undefined)
    throw new Error(`the ${service.name} is not ready after a minute: see ${service.logFile}`);
}

async function removeTraces(pool: pg.Pool): Promise<void> {
  const label = await installationLabel(pool);
  await removeContainers(label);
  await removeVolumes(label);
}

async function list(command: string[], label: string): Promise<string[]> {
  const listed = await runCommand('docker', [...command, '--quiet', '--filter', `label=${label}`]);
  return listed.split('\n').filter((id) => id !== '');
}

/** An empty one, dropped at the end. */
export async function createDatabase(bench: Bench): Promise<{ url: string; pool: pg.Pool }> {
  const name = `bench_${randomBytes(4).toString('hex')}`;
  await onServer(bench.postgresUrl, `CREATE DATABASE ${name}`);
  const url = new URL(bench.postgresUrl);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 2 });
  pool.on('error', () => undefined);
  bench.atEnd(async () => {
    await pool.end();
    await onServer(bench.postgresUrl, `DROP DATABASE ${name} WITH (FORCE)`);
  });
  return { url: url.href, pool };
}

async function onServer(url: string, sql: string): Promise<void> {
  const database = new URL(url);
  database.pathname = '/postgres'; // always there
  const client = new pg.Client({ connectionString: database.href });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function isServing(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.status === 200;
}
