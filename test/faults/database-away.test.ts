import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { expectInvariants } from '../support/invariants.ts';
import { startProcess, type TestProcess } from '../support/process.ts';
import { createJob, ended, trigger, type DeployedProject } from '../support/project.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { makeStandIn, work } from '../support/stand-in.ts';
import { call, startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { deployProbe, logOf } from '../worker/probe.ts';

const awayMs = 3_000;
const leaseSeconds = 2;
const linesPerSecond = 20;

let standIn: Awaited<ReturnType<typeof makeStandIn>>;
let receiver: Receiver;
let system: System;
let project: DeployedProject;
let proxy: Proxy;
let proxied: { DATABASE_URL: string };
/** An API process and a worker that come to Postgres over a line that can be cut. */
let api: TestProcess;
let url: string;
let worker: TestProcess;

beforeAll(async () => {
  [standIn, receiver] = await Promise.all([makeStandIn(), startReceiver((response) => response.end())]);
  system = await startSystem({
    workers: 0,
    environment: {
      DCTL_LEASE_SECONDS: String(leaseSeconds),
      DCTL_SWEEP_SECONDS: '0.5',
      DCTL_RUNNER_IMAGE: standIn.image,
    },
  });
  project = await deployProbe(system);
  const database = new URL(system.environment['DATABASE_URL']!);
  proxy = await startProxy({ host: database.hostname, port: Number(database.port) });
  database.host = `127.0.0.1:${proxy.port}`;
  proxied = { DATABASE_URL: database.href };
  api = startProcess('dist/src/main.js', { ...system.environment, ...proxied });
  url = await urlOf(api);
  worker = await system.startWorker(proxied);
});
afterAll(async () => {
  api.signal('SIGTERM');
  await api.ended;
  await system.stop();
  await proxy.close();
  await receiver.close();
  await standIn.remove();
});
afterEach(() => expectInvariants(system));

// F12
test('whoever asks how a run is gets the answer although the database was away for some seconds', async () => {
  const runId = await begin(0.1);
  await ended(system, runId);
  const ask = (path: string) =>
    call(url + path, 'GET', undefined, { authorization: `Bearer ${system.token}` });
  const path = `/api/v1/runs/${runId}`;
  expect((await ask(path)).status).toBe(200);

  await proxy.cut();
  const asked = ask(path);
  // Others are told at once, so that they can do something else.
  const refused = await ask('/api/v1/projects');
  expect(refused.status).toBe(503);
  expect(refused.headers.get('content-type')).toContain('application/problem+json');
  await delay(awayMs);
  await proxy.mend();
  expect(await asked).toMatchObject({ status: 200, body: { id: runId, status: 'success' } });

  await proxy.cut();
  const askedAt = performance.now();
  expect((await ask(path)).status).toBe(503);
  expect(performance.now() - askedAt).toBeGreaterThan(awayMs);
  await proxy.mend();
});

// F12, F13
test('runs go on while the database is away for longer than their lease, and one that ends meanwhile has its result and its webhook', async () => {
  const [short, long] = await Promise.all([working(2), working(8)]);
  await proxy.cut();
  const { State: state } = await until(
    'the short one has ended',
    () => inspect(short),
    (found) => !found.State.Running,
  );
  await until(
    'that is a while ago',
    () => Date.now() - Date.parse(state.FinishedAt),
    (ms) => ms > leaseSeconds * 1_000,
  );
  expect(receiver.hits.filter(({ body }) => body.includes(short))).toEqual([]);
  expect((await inspect(long)).State.Running).toBe(true);
  await proxy.mend();

  const ranShort = await ended(system, short);
  expect(ranShort.status).toBe('success');
  expect(Math.abs(Date.parse(ranShort.end_time) - Date.parse(state.FinishedAt))).toBeLessThan(500);
  expect(await ended(system, long)).toMatchObject({ status: 'success' });
  for (const [runId, seconds] of [
    [short, 2],
    [long, 8],
  ] as const) {
    await expectWholeLog(runId, seconds);
    expect(await rowOf(runId)).toMatchObject({ fence: 1 });
    await expectOneWebhook(runId);
  }
  expect([worker.child.exitCode, api.child.exitCode]).toEqual([null, null]);
});

test('a run whose worker alone has lost the database is taken over, and the worker lets go of it', async () => {
  const runId = await working(8);
  await proxy.cut();
  const other = await system.startWorker();
  await until(
    'the other worker has the run',
    () => rowOf(runId),
    ({ fence }) => fence === 2,
  );
  await proxy.mend();
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  await worker.said('let go of a run');
  await expectWholeLog(runId, 8);
  await expectOneWebhook(runId);
  const enders = system.workers.filter(({ lines }) =>
    lines.some(({ msg, run }) => msg === 'run ended' && run === runId),
  );
  expect(enders).toHaveLength(1);
  other.signal('SIGTERM');
  await other.ended;
});

// F12
test('an API that is started while the database is away serves once it is there, and outlives lines that break as they are made', async () => {
  await proxy.cut();
  const late = startProcess('dist/src/main.js', { ...system.environment, ...proxied });
  await late.said('the database does not answer; waiting for it');
  await proxy.mend();
  const lateUrl = await urlOf(late);
  for (let times = 0; times < 10; times += 1) {
    await proxy.cut();
    await proxy.mend();
    await delay(50);
  }
  await until(
    'it is ready',
    () => call(`${lateUrl}/readyz`, 'GET', undefined, {}),
    ({ status }) => status === 200,
  );
  late.signal('SIGTERM');
  expect(await late.ended).toBe(0);
});

async function urlOf(process: TestProcess): Promise<string> {
  const { address } = (await process.said('serving')) as { address: { port: number } };
  return `http://127.0.0.1:${address.port}`;
}

async function begin(seconds: number): Promise<string> {
  const webhook = { webhook_enabled: true, webhook_url: receiver.url };
  const jobId = await createJob(system, project.projectId, { command: work(seconds), ...webhook });
  return trigger(system, { ...project, jobId });
}

/** Begins a run that prints its numbered lines for so long, and waits for the first ones. */
async function working(seconds: number): Promise<string> {
  const runId = await begin(seconds);
  await until(
    'the run prints',
    () => logOf(system, runId),
    (log) => log.includes('line 5\n'),
  );
  return runId;
}

function inspect(runId: string) {
  return system.docker.getContainer(`dctl-run-${runId}`).inspect();
}

async function rowOf(runId: string) {
  const { rows } = await system.pool.query('SELECT fence FROM runs WHERE id = $1', [runId]);
  return rows[0] as { fence: number };
}

async function expectWholeLog(runId: string, seconds: number): Promise<void> {
  const numbers = Array.from({ length: seconds * linesPerSecond }, (_, number) => `line ${number}`);
  expect((await logOf(system, runId)).trimEnd().split('\n')).toEqual(['begins', ...numbers, 'ends']);
}

async function expectOneWebhook(runId: string): Promise<void> {
  const hits = () => receiver.hits.filter(({ body }) => body.includes(runId));
  await until('the webhook has come', hits, ({ length }) => length > 0, 15_000);
  expect(hits()).toHaveLength(1);
}
