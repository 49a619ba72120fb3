import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import pg from 'pg';
import { openApiClient, type ApiClient } from '../setup/api-client.ts';
import { packFolder } from '../setup/archive.ts';
import { freePort } from '../setup/port.ts';
import { runCommand, until } from '../setup/processes.ts';
import { migrate } from '../../src/migrate.ts';
import { buildStandIn } from './build-stand-in.ts';
import { cause } from './chaos.ts';
import { byHand, noteStatusChanges } from './invariants.ts';
import { triggerAtRandom } from './load.ts';
import { postgresPart, processPart, redisPart } from './parts.ts';
import { openCountingReceiver } from './receiver.ts';
import { leftOver, tally, type Tally } from './tally.ts';
import { watchContainers } from './watch-containers.ts';

export interface SoakOptions {
  /** How long faults happen. What comes before and after takes a minute more at most. */
  seconds: number;
  seed: number;
  /** Of the runner; what stands for dbt is put on top of it. */
  runnerImage: string;
  /** Where its servers keep their data, and everything its log. */
  folder: string;
  say(line: string): void;
  /** Ends it early: what has come so far is counted. */
  signal?: AbortSignal;
}

export interface SoakReport extends Tally {
  faults: Record<string, number>;
}

const root = join(import.meta.dirname, '..', '..');
const workers = 3;
/** At most so many runs wait or execute: more would only make the end come later. */
const mostOpenRuns = 20;
const calmSeconds = 90;

/**
 * Runs are asked for at random while everything they need is killed at random. Then all is left in peace, and once
 * nothing moves any more it is counted what became of them.
 */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    return await soakAndCount(options, (step) => undo.push(step));
  } finally {
    for (const step of undo.toReversed()) await step().catch((error: unknown) => options.say(String(error)));
  }
}

async function soakAndCount(
  { seconds, seed, runnerImage, folder, say, signal }: SoakOptions,
  atEnd: (step: () => Promise<unknown>) => void,
): Promise<SoakReport> {
  const docker = new Docker();
  const logs = join(folder, 'logs');
  rmSync(logs, { recursive: true, force: true });
  mkdirSync(logs, { recursive: true });

  const image = `dctl-soak:${randomBytes(4).toString('hex')}`;
  atEnd(() => docker.getImage(image).remove({ force: true }));
  const [, postgres, redis, receiver] = await Promise.all([
    buildStandIn(docker, image, runnerImage),
    postgresPart(join(folder, 'postgres')),
    redisPart(folder),
    openCountingReceiver(seed),
  ]);
  atEnd(postgres.close);
  atEnd(redis.close);
  atEnd(receiver.close);

  const database = await makeDatabase(postgres.url, atEnd);
  const watch = await watchContainers(docker);
  atEnd(async () => watch.close());
  const storage = join(folder, 'storage');
  atEnd(async () => rmSync(storage, { recursive: true, force: true }));
  const port = await freePort();
  const env = {
    PATH: process.env['PATH'],
    ...(process.env['DOCKER_HOST'] === undefined ? {} : { DOCKER_HOST: process.env['DOCKER_HOST'] }),
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    DCTL_PORT: String(port),
    DCTL_SECRET_KEY: randomBytes(32).toString('base64'),
    DCTL_STORAGE_DIR: storage,
    DCTL_RUNNER_IMAGE: image,
    DCTL_WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8',
    DCTL_WEBHOOK_TIMEOUT_SECONDS: '3',
    DCTL_WEBHOOK_RETRY_SECONDS: '0.5',
    DCTL_LEASE_SECONDS: '3',
    DCTL_SWEEP_SECONDS: '1',
    DCTL_CANCEL_GRACE_SECONDS: '2',
    DCTL_RATE_PER_TOKEN: '0',
    DCTL_RATE_PER_ADDRESS: '0',
  };

  const made = await runCommand(process.execPath, ['dist/src/bootstrap.js', '--new-token'], {
    cwd: root,
    env,
  });
  const { organization_id: organizationId, token } = JSON.parse(made) as Record<string, string>;
  const fallen: string[] = [];
  const startPart = (
    name: string,
    script: string,
    every: [number, number],
    more: Record<string, string> = {},
  ) => {
    const logFile = join(logs, `${name.replace(' ', '-')}.log`);
    const part = processPart(
      name,
      { script, env: { ...env, ...more }, cwd: root, logFile },
      { every, fallen },
    );
    atEnd(part.close);
    return part;
  };
  const api = startPart('API', 'dist/src/main.js', [5, 15]);
  const ofWorkers = Array.from({ length: workers }, (_, number) =>
    startPart(`worker ${number + 1}`, 'dist/worker/main.js', [2, 8], {
      DCTL_WORKER_NAME: `worker-${number + 1}`,
    }),
  );

  const url = `http://127.0.0.1:${port}`;
  await until(30_000, async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok || undefined);
  const client = openApiClient({ url, token: token!, organizationId: organizationId! });
  const { projectId, jobIds } = await setUpProject(client, receiver.url);
  const headers = { authorization: `Bearer ${token}` };
  const load = { url, headers, projectId, jobIds, seed, hasRoom: () => hasRoom(database.pool) };

  const time = AbortSignal.timeout(seconds * 1_000);
  const over = signal === undefined ? time : AbortSignal.any([time, signal]);
  const faults: Record<string, number> = {};
  const startedAt = performance.now();
  const note = (part: string, what: string) => {
    const kind = `${part.replace(/ \d+$/, '')} ${what}`;
    faults[kind] = (faults[kind] ?? 0) + 1;
    say(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s  ${part} ${what}`);
  };
  const asking = triggerAtRandom(load, over);
  await cause([postgres, redis, api, ...ofWorkers], { seed, signal: over, note });
  say('everything is left in peace');
  const asked = await asking;
  await untilNothingMoves(database.pool, docker);

  const counted = await tally({ pool: database.pool, docker, watch, asked, receiver });
  return { ...counted, violations: [...counted.violations, ...fallen], faults };
}

async function makeDatabase(
  server: string,
  atEnd: (step: () => Promise<unknown>) => void,
): Promise<{ url: string; pool: pg.Pool }> {
  const name = `soak_${randomBytes(4).toString('hex')}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await migrate(url.href);
  const pool = new pg.Pool({ connectionString: url.href, max: 3, application_name: byHand });
  pool.on('error', () => undefined);
  await noteStatusChanges(pool);
  atEnd(async () => {
    await pool.end();
    const client = new pg.Client({ connectionString: new URL('/postgres', url).href });
    await client.connect();
    await client.query(`DROP DATABASE ${name} WITH (FORCE)`).finally(() => client.end());
  });
  return { url: url.href, pool };
}

/** Jobs of several kinds; each tells the receiver of its runs. */
async function setUpProject(
  client: ApiClient,
  webhookUrl: string,
): Promise<{ projectId: string; jobIds: string[] }> {
  const project = await client.call<{ id: string }>('POST', '/api/v1/projects', {
    name: 'soak',
    type: 'dbt',
  });
  const path = `/api/v1/projects/${project.id}`;
  await client.upload(`${path}/deployments`, await packFolder(join(root, 'examples', 'jaffle_shop')));
  const { data } = await client.call<{ data: { id: string }[] }>('GET', `${path}/environments`);
  for (const { id } of data)
    await client.call('PATCH', `${path}/environments/${id}`, { has_data_volume: false, network: 'none' });

  const createJob = async (name: string, runSeconds: number, fields: Record<string, unknown>) => {
    const command = `dbt run-operation work --args '{"seconds": ${runSeconds}}'`;
    const told = { webhook_enabled: true, webhook_url: webhookUrl };
    const job = { name, command, ...told, ...fields };
    return (await client.call<{ id: string }>('POST', `${path}/jobs`, job)).id;
  };
  const quick = await createJob('quick', 0.2, { max_parallel_runs: 100 });
  const oneByOne = await createJob('one by one', 0.2, {});
  const slow = await createJob('slow', 2.5, { max_parallel_runs: 100 });
  const retried = await createJob('retried', 1, {
    max_parallel_runs: 100,
    automatic_retries: { attempts: 2, delay_seconds: 1 },
  });
  await createJob('follower', 0.2, { max_parallel_runs: 100, run_after: [{ job_id: oneByOne }] });
  await createJob('scheduled', 0.2, { schedule: { cron: '* * * * *' } });
  return { projectId: project.id, jobIds: [quick, quick, quick, quick, oneByOne, slow, retried] };
}

async function hasRoom(pool: pg.Pool): Promise<boolean> {
  const sql = `SELECT count(*)::int FROM runs WHERE status IN ('queued', 'running')`;
  // While Postgres is away nobody knows: callers ask all the same.
  const open = await pool.query<{ count: number }>(sql).then(
    ({ rows }) => rows[0]!.count,
    () => 0,
  );
  return open < mostOpenRuns;
}

/** Until every run has ended, every webhook is sent or given up, and nothing is left of either; or time is over. */
async function untilNothingMoves(pool: pg.Pool, docker: Docker): Promise<void> {
  await until(calmSeconds * 1_000, async () => {
    await delay(200);
    try {
      const { rows } = await pool.query<{ id: string; status: string }>('SELECT id, status FROM runs');
      if (rows.some(({ status }) => ['queued', 'running'].includes(status))) return undefined;
      const sql = `SELECT FROM deliveries WHERE state IN ('pending', 'sending')`;
      if ((await pool.query(sql)).rowCount !== 0) return undefined;
      const left = await leftOver(docker, new Set(rows.map(({ id }) => id)));
      return left.containers + left.volumes === 0 || undefined;
    } catch {
      return undefined; // Postgres needs a moment more.
    }
  });
}
