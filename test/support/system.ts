import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import type pg from 'pg';
import { brokenInvariants, noteStatusChanges } from '../../scripts/soak/invariants.ts';
import { watchContainers, type ContainerWatch } from '../../scripts/soak/watch-containers.ts';
import { createDatabase } from './database.ts';
import { firstStart } from './first-start.ts';
import { startProcess, type TestProcess } from './process.ts';
import { takeRedisDatabase } from './redis.ts';

/** A whole dctl of its own: database, storage, one API process and any number of workers. */
export interface System {
  url: string;
  /** Where it speaks https, when it was started with DCTL_TLS_CERT and DCTL_PLAIN_PORT. */
  tlsUrl: string;
  token: string;
  organizationId: string;
  pool: pg.Pool;
  docker: Docker;
  /** What becomes of runs' containers on that engine. */
  containers: ContainerWatch;
  api: TestProcess;
  workers: TestProcess[];
  /** What both processes are started with. */
  environment: Record<string, string>;
  startWorker(environment?: Record<string, string>, within?: string[]): Promise<TestProcess>;
  /** Calls the API. The body is JSON unless it is a Buffer, which goes as it is. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Ends everything. Throws when a container of one of its runs is left, or an invariant was broken. */
  stop(): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed body; undefined where it is not JSON. */
  body: any; // eslint-disable-line -- tests read what comes
}

export async function startSystem(
  options: { workers?: number; environment?: Record<string, string> } = {},
): Promise<System> {
  const docker = new Docker();
  const first = firstStart();
  const [database, containers] = await Promise.all([createDatabase(first.template), watchContainers(docker)]);
  await noteStatusChanges(database.pool);
  const redis = await takeRedisDatabase();
  const storage = await mkdtemp(join(tmpdir(), 'dctl-test-'));
  const environment: Record<string, string> = {
    DATABASE_URL: database.url,
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
    DCTL_PORT: '0',
    DCTL_SECRET_KEY: first.secretKey,
    DCTL_STORAGE_DIR: storage,
    DCTL_RUNNER_IMAGE: process.env['DCTL_TEST_RUNNER_IMAGE'] ?? '',
    DCTL_WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8',
    DCTL_SWEEP_SECONDS: '1',
    // A container that is made ahead is nobody's: only tests that are about them have any.
    DCTL_WARM_MEMORY_MB: '0',
    // Tests look again and again.
    DCTL_RATE_PER_TOKEN: '0',
    DCTL_RATE_PER_ADDRESS: '0',
    DCTL_WEBHOOK_RETRY_SECONDS: '2',
    ...options.environment,
  };

  const api = startProcess('dist/src/main.js', environment);

  const workers: TestProcess[] = [];
  const startWorker = async (more: Record<string, string> = {}, within: string[] = []) => {
    const name = `worker-${workers.length + 1}-${randomBytes(3).toString('hex')}`;
    const settings = { ...environment, DCTL_WORKER_NAME: name, ...more };
    const worker = startProcess('dist/worker/main.js', settings, { within });
    workers.push(worker);
    await worker.said('working');
    return worker;
  };
  const [serving] = await Promise.all([
    api.said('serving'),
    ...Array.from({ length: options.workers ?? 1 }, () => startWorker()),
  ]);
  const { address, plain } = serving as { address: { port: number }; plain?: { port: number } };
  const url = `http://127.0.0.1:${(plain ?? address).port}`;

  return {
    url,
    tlsUrl: `https://127.0.0.1:${address.port}`,
    token: first.token,
    organizationId: first.organizationId,
    pool: database.pool,
    docker,
    containers,
    api,
    workers,
    environment,
    startWorker,
    call: (method, path, body, headers = {}) =>
      call(url + path, method, body, { authorization: `Bearer ${first.token}`, ...headers }),
    async stop() {
      const processes = [...workers, api];
      for (const each of processes) each.signal('SIGTERM');
      const forced = setTimeout(() => processes.forEach((each) => each.signal('SIGKILL')), 15_000);
      await Promise.all(processes.map((each) => each.ended));
      clearTimeout(forced);
      const left = await removeLeftovers(database.pool, docker);
      containers.close();
      const broken = await brokenInvariants(database.pool, containers);
      await database.drop();
      await redis?.drop();
      await rm(storage, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`containers were left behind: ${left.join(', ')}`);
      if (broken.length > 0) throw new Error(`what must always hold did not:\n${broken.join('\n')}`);
    },
  };
}

export async function call(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Answer> {
  const isRaw = Buffer.isBuffer(body);
  const sent = body === undefined ? undefined : isRaw ? new Uint8Array(body) : JSON.stringify(body);
  const response = await fetch(url, {
    method,
    headers: { ...(sent === undefined || isRaw ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(sent === undefined ? {} : { body: sent }),
    redirect: 'manual',
  });
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  return { status: response.status, headers: response.headers, text, body: parsed };
}

/** Containers and data volumes of this system's runs. A run that was still going when the test ended is none's fault. */
async function removeLeftovers(pool: pg.Pool, docker: Docker): Promise<string[]> {
  const { rows } = await pool.query<{ id: string; status: string }>('SELECT id, status FROM runs');
  const statuses = new Map(rows.map((row) => [row.id, row.status]));
  const containers = await docker.listContainers({ all: true, filters: { label: ['dctl.run_id'] } });
  const ours = containers.filter(({ Labels }) => statuses.has(Labels['dctl.run_id'] ?? ''));
  const { rows: installations } = await pool.query<{ id: string }>('SELECT id FROM installation');
  // Nobody's fault either, where a worker was killed that had one of them.
  const [warm, preparing] = await Promise.all(
    ['dctl.warm', 'dctl.preparation_id'].map((label) => {
      const filters = { label: [label, `dctl.installation_id=${installations[0]?.id}`] };
      return docker.listContainers({ all: true, filters });
    }),
  );
  for (const { Id } of [...ours, ...warm!, ...preparing!]) {
    // The sweeper of a worker that was told to stop may have been at it.
    await docker.getContainer(Id).remove({ force: true, v: true }).catch(ignoreGone);
  }
  const { rows: environments } = await pool.query<{ id: string }>('SELECT id FROM environments');
  for (const { id } of environments)
    await docker
      .getVolume(`dctl-data-${id}`)
      .remove()
      .catch(() => undefined);
  return ours
    .filter(({ Labels }) => statuses.get(Labels['dctl.run_id'] ?? '') !== 'running')
    .map(({ Names }) => Names.join());
}

function ignoreGone(error: { statusCode?: number }): void {
  if (![404, 409].includes(error.statusCode ?? 0)) throw error;
}
