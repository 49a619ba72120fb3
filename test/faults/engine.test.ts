import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startDockerProxy } from '../support/docker-proxy.ts';
import { startEngine, type Engine } from '../support/engine.ts';
import { expectInvariants } from '../support/invariants.ts';
import { ended, expectStatus, type DeployedProject } from '../support/project.ts';
import { listen } from '../support/receiver.ts';
import { makeStandIn, work } from '../support/stand-in.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { begin, deployProbe, logOf } from '../worker/probe.ts';

const patienceSeconds = 2;

let standIn: Awaited<ReturnType<typeof makeStandIn>>;
let engine: Engine;
let system: System;
let project: DeployedProject;
/** Of the way to the tests' engine, which is there or not. */
let port: number;
/** Two workers of one system, each on an engine of its own. Who claims what is told by the work that there is. */
const shortTimes = {
  DCTL_LEASE_SECONDS: '2',
  DCTL_SWEEP_SECONDS: '0.5',
  DCTL_ENGINE_PATIENCE_SECONDS: String(patienceSeconds),
};

beforeAll(async () => {
  standIn = await makeStandIn();
  [engine, port] = await Promise.all([startEngine(), closedPort()]);
  await engine.take(standIn.image);
  const environment = { ...shortTimes, DCTL_RUNNER_IMAGE: standIn.image, DCTL_RUN_NETWORK: 'none' };
  system = await startSystem({ workers: 0, environment });
  project = await deployProbe(system);
});
afterAll(async () => {
  await system.stop();
  await engine.close();
  await standIn.remove();
});

// F16
test.each([
  ['is killed and starts again', 'SIGKILL'],
  ['is told to stop and starts again', 'SIGTERM'],
] as const)(
  'a run whose engine %s is error, engine_restarted; the worker goes on without a restart',
  async (_how, signal) => {
    const worker = await theWorkerOn(engine.host);
    const runId = await working(60);
    await engine.end(signal);
    await worker.said('the engine is away; the run waits for it');
    expect((await rowOf(runId)).status).toBe('running');
    await engine.start();
    const ran = await ended(system, runId);
    expect(ran).toMatchObject({
      status: 'error',
      status_reason: 'engine_restarted',
      error_message: expect.stringContaining('Docker engine was restarted'),
      interruption: null,
    });
    expectLines(await logOf(system, runId));

    expect(await ended(system, await begin(system, project, work(0.1)))).toMatchObject({ status: 'success' });
    expect(worker.child.exitCode).toBeNull();
    expect((await rowOf(runId)).fence).toBe(1);
    await until(
      'no container is left',
      () => engine.docker.listContainers({ all: true }),
      ({ length }) => length === 0,
    );
    worker.signal('SIGTERM');
    await worker.ended;
  },
);

test('a run goes on while its engine cannot be reached: its log is whole, and it ends when it ends', async () => {
  let proxy = await startDockerProxy(port);
  const worker = await theWorkerOn(proxy.host);
  const [short, long] = await Promise.all([working(2.5), working(6)]);
  await proxy.close();
  await worker.said('the engine is away; the run waits for it');
  const endedAt = await until(
    'the short one has ended',
    async () => (await inspect(short)).State,
    ({ Running: running }) => !running,
  );
  await until(
    'that is a while ago',
    () => Date.now() - Date.parse(endedAt.FinishedAt),
    (ms) => ms > 1_000,
  );
  proxy = await startDockerProxy(port);
  try {
    const [ranShort, ranLong] = [await ended(system, short), await ended(system, long)];
    expect([ranShort.status, ranLong.status]).toEqual(['success', 'success']);
    expect(Math.abs(Date.parse(ranShort.end_time) - Date.parse(endedAt.FinishedAt))).toBeLessThan(250);
    for (const runId of [short, long]) {
      expect(expectLines(await logOf(system, runId)).at(-1)).toBe('ends');
      expect((await rowOf(runId)).fence).toBe(1);
    }
    await expectInvariants(system);
  } finally {
    worker.signal('SIGTERM');
    await worker.ended;
    await proxy.close();
  }
});

// F17
test('without an engine a run is error, runtime_unavailable, after a while; one that is away for a moment is waited for', async () => {
  const worker = await system.startWorker({ DOCKER_HOST: `tcp://127.0.0.1:${port}` });
  const away = await ended(system, await begin(system, project, work(0.1)));
  expect(away).toMatchObject({ status: 'error', status_reason: 'runtime_unavailable' });
  expect(away.error_message).toMatch(/^The Docker engine does not answer \(\w+\)\.$/);
  expect(away.duration_seconds).toBeGreaterThanOrEqual(patienceSeconds);
  expect(away.duration_seconds).toBeLessThan(patienceSeconds + 8);

  const runId = await begin(system, project, work(0.1));
  await until(
    'the run is claimed',
    () => rowOf(runId),
    ({ status }) => status === 'running',
  );
  const proxy = await startDockerProxy(port);
  try {
    expect(await ended(system, runId)).toMatchObject({ status: 'success' });
    await expectInvariants(system);
    expect(worker.child.exitCode).toBeNull();
  } finally {
    worker.signal('SIGTERM');
    await worker.ended;
    await proxy.close();
  }
});

// F18
test('a run whose image is missing is error, image_not_found, at once', async () => {
  const path = `/api/v1/projects/${project.projectId}/environments`;
  const environment = { name: 'no-image', runner_image: 'dctl-no-such-image:1' };
  const { body } = await expectStatus(201, system.call('POST', path, environment));
  const worker = await system.startWorker();
  const runId = await begin(system, project, work(0.1), { environment_id: body.id });
  const ran = await ended(system, runId);
  expect(ran).toMatchObject({ status: 'error', status_reason: 'image_not_found' });
  expect(ran.error_message).toContain('dctl-no-such-image:1');
  expect(ran.duration_seconds).toBeLessThan(5);

  // F24
  const removed = await working(60);
  await system.docker.getContainer(`dctl-run-${removed}`).remove({ force: true, v: true });
  const removedAt = performance.now();
  expect(await ended(system, removed)).toMatchObject({ status: 'error', status_reason: 'container_lost' });
  expect(performance.now() - removedAt).toBeLessThan(8_000);
  worker.signal('SIGTERM');
  await worker.ended;
});

test('a run is taken over on the engine that has its container, and by no worker on another', async () => {
  const doomed = await theWorkerOn(engine.host);
  const runId = await working(12);
  doomed.signal('SIGKILL');
  await doomed.ended;
  const elsewhere = await system.startWorker();
  await until(
    'its lease has run out',
    async () =>
      (
        await system.pool.query(
          `SELECT lease_expires_at < now() - interval '2 s' AS out FROM runs WHERE id = $1`,
          [runId],
        )
      ).rows[0].out,
    (out) => out === true,
  );
  expect(await rowOf(runId)).toMatchObject({ status: 'running', fence: 1 });
  const near = await system.startWorker({ DOCKER_HOST: engine.host });
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  expect(await rowOf(runId)).toMatchObject({ fence: 2 });
  expect(expectLines(await logOf(system, runId)).at(-1)).toBe('ends');
  for (const worker of [elsewhere, near]) worker.signal('SIGTERM');
  await Promise.all([elsewhere.ended, near.ended]);
});

function theWorkerOn(host: string) {
  return system.startWorker({ DOCKER_HOST: host });
}

/** Begins a run that prints its numbered lines for so long, and waits for the first ones. */
async function working(seconds: number): Promise<string> {
  const runId = await begin(system, project, work(seconds));
  await until(
    'the run prints',
    () => logOf(system, runId),
    (log) => log.includes('line 5\n'),
  );
  return runId;
}

/** Each line once and in order. */
function expectLines(log: string): string[] {
  const lines = log.trimEnd().split('\n');
  const numbered = lines.filter((line) => line.startsWith('line '));
  expect(numbered).toEqual(numbered.map((_, number) => `line ${number}`));
  return lines;
}

async function rowOf(runId: string) {
  const { rows } = await system.pool.query('SELECT status, fence FROM runs WHERE id = $1', [runId]);
  return rows[0] as { status: string; fence: number };
}

function inspect(runId: string) {
  return system.docker.getContainer(`dctl-run-${runId}`).inspect();
}

async function closedPort(): Promise<number> {
  const { port: free, close } = await listen(createServer());
  await close();
  return free;
}
