import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectDatabase } from '../../src/db.ts';
import { openEndedRunCount } from '../../src/runs/count-runs.ts';
import { startProcess, type TestProcess } from '../support/process.ts';
import { deployProject, ended, expectStatus, trigger } from '../support/project.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { call, startSystem, type Answer, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { createWebhookJob, deliveryEnded, type JobKey } from '../support/webhooks.ts';

const token = 'planted-metrics-token-5521';
const names = { project: 'planted-project', job: 'planted-job', header: 'planted-header-7719' };

let system: System;
let receiver: Receiver;
let job: JobKey;
let worker: { process: TestProcess; url: string };

beforeAll(async () => {
  system = await startSystem({ workers: 0, environment: { DCTL_METRICS_TOKEN: token } });
  receiver = await startReceiver((response) => response.writeHead(400).end());
  const project = await deployProject(system, { name: names.project });
  job = await createWebhookJob(system, project, receiver.url, {
    name: names.job,
    webhook_headers: { Authorization: names.header },
    max_parallel_runs: 1,
  });
});
afterAll(async () => {
  await receiver.close();
  await system.stop();
});

async function portOf(process: TestProcess, message: string): Promise<string> {
  const { address } = (await process.said(message)) as { address: { port: number } };
  return `http://127.0.0.1:${address.port}`;
}

async function startWorker(): Promise<typeof worker> {
  const process = await system.startWorker({ DCTL_WORKER_PORT: '0' });
  return { process, url: await portOf(process, 'serving metrics') };
}

function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return call(url, 'GET', undefined, headers);
}

const metricsOf = async (url: string) =>
  read(await expectStatus(200, get(`${url}/metrics`, { authorization: `Bearer ${token}` })));

/** Each line of Prometheus' text: `name{label="value"}` and its figure. */
function read({ text }: Answer): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([a-z0-9_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      if (name === undefined) throw new Error(`this is not a line of Prometheus' text: ${line}`);
      return [name, Number(value)];
    }),
  );
}

test('metrics are shown to whoever has their token', async () => {
  for (const authorization of ['', `Bearer ${token}x`, `Bearer ${system.token}`]) {
    expect(await get(`${system.url}/metrics`, { authorization })).toMatchObject({
      status: 401,
      body: { detail: expect.stringContaining('DCTL_METRICS_TOKEN') },
    });
  }
});

test('queued runs, their ends and their failed webhooks are counted where they happen', async () => {
  const [first, second] = [await trigger(system, job), await trigger(system, job)];
  await until(
    'both runs wait',
    () => metricsOf(system.url),
    (metrics) => metrics['dctl_oldest_due_run_seconds']! > 0.2,
  ).then((metrics) =>
    expect(metrics).toMatchObject({
      'dctl_runs{status="queued"}': 2,
      'dctl_runs{status="running"}': 0,
      'dctl_runs{status="success"}': 0,
      // The second run has to wait for the first one, whose end will ring for it.
      'dctl_messages_waiting{about="runs"}': 1,
      'dctl_messages_waiting{about="deliveries"}': 0,
      'dctl_up{part="database"}': 1,
      'dctl_up{part="queue"}': 1,
      'dctl_trigger_seconds_count{triggered_by="manual"}': 2,
    }),
  );

  await expectStatus(200, system.call('POST', `/api/v1/runs/${second}/cancel`));
  worker = await startWorker();
  expect(await ended(system, first)).toMatchObject({ status: 'success' });
  for (const run of [first, second])
    expect(await deliveryEnded(system, job, run)).toMatchObject({ state: 'failed' });
  const seen = await until(
    'the worker has counted all of it',
    () => metricsOf(worker.url),
    (metrics) =>
      metrics['dctl_deliveries_ended_total{state="failed"}'] === 2 && metrics['dctl_runs_at_work'] === 0,
  );
  expect(seen).toMatchObject({
    'dctl_runs_ended_total{status="success",reason="none"}': 1,
    dctl_run_wait_seconds_count: 1,
    'dctl_run_duration_seconds_count{status="success"}': 1,
    'dctl_delivery_try_seconds_count{result="answered"}': 2,
    dctl_run_places: 4,
  });
  expect(seen['dctl_run_wait_seconds_sum']).toBeGreaterThan(0.2);
  expect(seen['dctl_run_duration_seconds_sum{status="success"}']).toBeGreaterThan(0.5);
  expect(seen['dctl_process_resident_memory_bytes']).toBeGreaterThan(10_000_000);
  expect(seen).not.toHaveProperty('dctl_runs{status="success"}');

  expect(await metricsOf(system.url)).toMatchObject({
    'dctl_runs{status="queued"}': 0,
    'dctl_runs{status="running"}': 0,
    'dctl_runs{status="success"}': 1,
    'dctl_runs{status="error"}': 1,
    'dctl_runs_ended_total{status="error",reason="cancelled"}': 1,
    dctl_oldest_due_run_seconds: 0,
    'dctl_open_deliveries{state="pending"}': 0,
    'dctl_open_deliveries{state="sending"}': 0,
    'dctl_messages_waiting{about="runs"}': 0,
  });
});

test('a run that ended is counted once, also while it becomes one that ended long ago', async () => {
  const { db, close } = connectDatabase(system.environment['DATABASE_URL']!, {
    maxConnections: 1,
    onError: () => undefined,
  });
  await system.pool.query(`UPDATE runs SET finished_at = clock_timestamp() - interval '29 seconds'`);
  const count = openEndedRunCount(db);
  const counted: unknown[] = [];
  await until(
    'what was counted has settled',
    async () => {
      counted.push((await count())['success']);
      const { rows } = await system.pool.query<{ isOld: boolean }>(
        `SELECT max(finished_at) < clock_timestamp() - interval '30.5 seconds' AS "isOld" FROM runs`,
      );
      return rows[0]!.isOld;
    },
    (isOld) => isOld,
  );
  expect([...new Set(counted)]).toEqual([1]);
  expect((await count())['success']).toBe(1);
  await close();
});

test('requests are counted by the route they came in by, never by their path', async () => {
  await get(`${system.url}/api/v1/runs/planted-run-id`, { authorization: `Bearer ${system.token}` });
  await get(`${system.url}/planted/path`);
  expect(await metricsOf(system.url)).toMatchObject({
    'dctl_http_request_seconds_count{method="GET",route="/api/v1/runs/:run_id",status="404"}': 1,
    'dctl_http_request_seconds_count{method="GET",route="none",status="404"}': 1,
    'dctl_http_request_seconds_count{method="GET",route="/metrics",status="401"}': 3,
  });
});

test('no metric holds a name, an id or a secret', async () => {
  const headers = { authorization: `Bearer ${token}` };
  for (const url of [system.url, worker.url]) {
    const { text } = await get(`${url}/metrics`, headers);
    expect(text).not.toContain('planted');
    for (const hidden of [
      system.organizationId,
      job.projectId,
      job.jobId,
      system.token,
      system.environment['DCTL_SECRET_KEY']!,
      new URL(receiver.url).port,
    ])
      expect(text).not.toContain(hidden);
    for (const name of Object.keys(read({ text } as Answer))) expect(name).toMatch(/^dctl_/);
  }
});

test('a worker says whether it lives, whether Docker and Postgres answer, and nothing else', async () => {
  expect(await get(`${worker.url}/livez`)).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect(await get(`${worker.url}/readyz`)).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect((await get(`${worker.url}/metrics`)).status).toBe(401);
  expect((await get(`${worker.url}/api/v1/runs`)).status).toBe(404);

  const apart = await system.startWorker({ DCTL_WORKER_PORT: '0', DOCKER_HOST: 'unix:///nowhere.sock' });
  expect(await get(`${await portOf(apart, 'serving metrics')}/readyz`)).toMatchObject({
    status: 503,
    body: { errors: [{ pointer: 'engine', detail: expect.stringContaining('DOCKER_HOST') }] },
  });
});

test('while the database is away metrics come within seconds, and hold what is known', async () => {
  const database = new URL(system.environment['DATABASE_URL']!);
  const proxy: Proxy = await startProxy({ host: database.hostname, port: Number(database.port) });
  database.host = `127.0.0.1:${proxy.port}`;
  const api = startProcess('dist/src/main.js', { ...system.environment, DATABASE_URL: database.href });
  try {
    const url = await portOf(api, 'serving');
    expect((await metricsOf(url))['dctl_runs{status="success"}']).toBe(1);
    for (const fault of ['stall', 'cut'] as const) {
      await proxy[fault]();
      const startedAt = performance.now();
      const metrics = await metricsOf(url);
      expect(performance.now() - startedAt).toBeLessThan(4_000);
      expect(metrics).toMatchObject({ 'dctl_up{part="database"}': 0 });
      expect(metrics['dctl_process_resident_memory_bytes']).toBeGreaterThan(0);
      expect(Object.keys(metrics).filter((name) => /^dctl_(runs|oldest|open)/.test(name))).toEqual([]);
      await proxy.mend();
      await until(
        'the database is back',
        () => metricsOf(url),
        (metrics) => metrics['dctl_runs{status="success"}'] === 1,
      );
    }
  } finally {
    api.signal('SIGTERM');
    await api.ended;
    await proxy.close();
  }
});

test('a run that is told to wait is not late before its time, and from then on counts from it', async () => {
  const runId = await trigger(system, job);
  const waitUntil = (time: string) =>
    system.pool.query(
      `UPDATE runs SET created_at = now() - interval '1 hour', not_before = ${time} WHERE id = $1`,
      [runId],
    );
  const late = async () => (await metricsOf(system.url))['dctl_oldest_due_run_seconds']!;
  try {
    await waitUntil("now() + interval '1 hour'");
    expect(await late()).toBe(0);
    await waitUntil("now() - interval '5 minutes'");
    expect(await late()).toBeGreaterThanOrEqual(300);
    expect(await late()).toBeLessThan(1_000);
  } finally {
    await system.call('POST', `/api/v1/runs/${runId}/cancel`);
  }
});
