import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startDockerProxy } from '../support/docker-proxy.ts';
import { expectInvariants } from '../support/invariants.ts';
import type { TestProcess } from '../support/process.ts';
import { ended, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { makeStandIn, work } from '../support/stand-in.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { begin, deployProbe, logOf } from '../worker/probe.ts';

const leaseSeconds = 2;
const sweepSeconds = 0.5;
/** The promise is the lease, a sweep and 2 s; the rest is for a busy machine. */
const takeOverMs = (leaseSeconds + sweepSeconds + 2 + 3) * 1_000;
const linesPerSecond = 20;

let standIn: Awaited<ReturnType<typeof makeStandIn>>;
let system: System;
let project: DeployedProject;
let receiver: Receiver;

beforeAll(async () => {
  standIn = await makeStandIn();
  const environment = {
    DCTL_LEASE_SECONDS: String(leaseSeconds),
    DCTL_SWEEP_SECONDS: String(sweepSeconds),
    DCTL_RUNNER_IMAGE: standIn.image,
  };
  system = await startSystem({ workers: 0, environment });
  project = await deployProbe(system);
  receiver = await startReceiver((response) => response.end());
});
afterAll(async () => {
  await system.stop();
  await receiver.close();
  await standIn.remove();
});
afterEach(async () => {
  // The webhooks and the containers are a worker's to send and to remove.
  if (!system.workers.some(isAlive)) await system.startWorker();
  await expectInvariants(system);
  for (const each of system.workers) each.signal('SIGKILL');
  await Promise.all(system.workers.map((each) => each.ended));
});

describe('a worker that is killed', () => {
  // F1
  test('while its run executes is replaced within its lease: same container, whole log, one result', async () => {
    const worker = await system.startWorker();
    const runId = await working(8);
    await system.startWorker();
    await kill(worker);
    const killedAt = performance.now();
    await until(
      'the other worker has the run',
      () => rowOf(runId),
      (row) => row.fence === 2,
      takeOverMs,
    );
    console.info(`taken over after ${Math.round(performance.now() - killedAt)} ms`);
    expect(await ended(system, runId)).toMatchObject({ status: 'success' });
    await expectOneOfEverything(runId, 8);
  });

  // F2
  test('is replaced by the next one to start, which reads the true result of a container that has ended, and when it did', async () => {
    const worker = await system.startWorker();
    const runId = await working(2);
    await kill(worker);
    const { State: state } = await until(
      'the container has ended',
      () => inspect(runId),
      (found) => found.State.Status === 'exited',
    );
    await until(
      'that is a while ago',
      () => Date.now() - Date.parse(state.FinishedAt),
      (ms) => ms > 2_000,
    );
    expect((await rowOf(runId)).status).toBe('running');

    await system.startWorker();
    const ran = await ended(system, runId);
    expect(ran.status).toBe('success');
    expect(Math.abs(Date.parse(ran.end_time) - Date.parse(state.FinishedAt))).toBeLessThan(250);
    expect(ran.duration_seconds).toBeCloseTo(
      (Date.parse(ran.end_time) - Date.parse(ran.start_time)) / 1_000,
      2,
    );
    await expectOneOfEverything(runId, 2);
  });
});

describe('a run whose worker is killed while it launches is executed once all the same:', () => {
  test.each([
    // F4
    ['before the container is made', /^POST .*\/containers\/create/, { made: 1, started: 1 }],
    ['before the files are in the container', /^PUT .*\/archive/, { made: 2, started: 1 }],
    // F3
    ['before the container is started', /^POST .*\/start/, { made: 2, started: 1 }],
    ['before the container is told what to run', /^\{"steps"/, { made: 2, started: 2 }],
  ])('%s', async (_when, request, containers) => {
    const proxy = await startDockerProxy();
    try {
      const held = proxy.hold(request);
      const doomed = await system.startWorker({ DOCKER_HOST: proxy.host });
      const runId = await begin(system, project, work(0.2), webhook());
      await held;
      await kill(doomed);
      await system.startWorker();
      expect(await ended(system, runId)).toMatchObject({ status: 'success', error_message: null });
      expect({
        made: containersOf(runId, 'create').length,
        started: containersOf(runId, 'start').length,
      }).toEqual(containers);
      await expectWholeLog(runId, 0.2);
      await expectOneWebhook(runId);
    } finally {
      await proxy.close();
    }
  });
});

describe('a worker that was taken for dead and comes back', () => {
  // F5
  test('changes nothing of its run', async () => {
    const zombie = await system.startWorker();
    const runId = await working(8);
    zombie.signal('SIGSTOP');
    await system.startWorker();
    const taken = await until(
      'the other worker has the run',
      () => rowOf(runId),
      (row) => row.fence === 2,
    );
    zombie.signal('SIGCONT');
    await zombie.said('let go of a run');
    // On a machine that is too busy to renew a lease in time, it may come to have the run again.
    const { fence, worker_name: owner } = await rowOf(runId);
    if (fence === 2) expect(owner).toBe(taken.worker_name);
    expect(await ended(system, runId)).toMatchObject({ status: 'success' });
    await expectOneOfEverything(runId, 8);
    const ends = system.workers.flatMap(({ lines }) =>
      lines.filter(({ msg, run }) => msg === 'run ended' && run === runId),
    );
    expect(ends).toHaveLength(1);
  });

  test('starts no second container, having been about to start the first', async () => {
    const proxy = await startDockerProxy();
    try {
      const held = proxy.hold(/^POST .*\/start/);
      const zombie = await system.startWorker({ DOCKER_HOST: proxy.host });
      const runId = await begin(system, project, work(3), webhook());
      await held;
      zombie.signal('SIGSTOP');
      await system.startWorker();
      await until(
        'the other worker has launched it',
        () => containersOf(runId, 'start').length,
        (started) => started === 1,
      );
      proxy.release();
      zombie.signal('SIGCONT');
      // Told by the engine that the container is gone, or by the database that the run is.
      const toldOff = ['the container could not be started', 'let go of a run'];
      await until(
        'it has noticed',
        () => zombie.lines.map(({ msg }) => String(msg)),
        (said) => said.some((msg) => toldOff.includes(msg)),
      );
      expect(await ended(system, runId)).toMatchObject({ status: 'success' });
      expect(containersOf(runId, 'start')).toHaveLength(1);
      await expectWholeLog(runId, 3);
      await expectOneWebhook(runId);
    } finally {
      await proxy.close();
    }
  });
});

// F7
test('workers that are replaced one after the other finish all their runs, each in its one container, and exit with 0 within 10 s', async () => {
  const old = [await system.startWorker(), await system.startWorker()];
  const runIds = await Promise.all([working(8), working(8), working(8)]);
  for (const worker of old) {
    await system.startWorker();
    const stoppedAt = performance.now();
    worker.signal('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(10_000);
  }
  for (const runId of runIds) {
    expect(await ended(system, runId)).toMatchObject({ status: 'success' });
    await expectOneOfEverything(runId, 8);
  }
});

test('a worker that is told to stop twice ends at once, and the next one finishes its run', async () => {
  const worker = await system.startWorker();
  const runId = await working(3);
  const stoppedAt = performance.now();
  // What it has begun to end with does not hold it up: a webhook that is on its way.
  worker.signal('SIGTERM');
  worker.signal('SIGINT');
  await worker.ended;
  expect(performance.now() - stoppedAt).toBeLessThan(1_500);
  await system.startWorker();
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  await expectOneOfEverything(runId, 3);
});

test('the container that a worker did not live to remove is removed by the next one', async () => {
  const proxy = await startDockerProxy();
  try {
    const held = proxy.hold(/^DELETE .*\/containers\//);
    const doomed = await system.startWorker({ DOCKER_HOST: proxy.host });
    const runId = await begin(system, project, work(0.1));
    await held;
    await kill(doomed);
    expect((await inspect(runId)).State.Status).toBe('exited');
    expect((await rowOf(runId)).status).toBe('success');
    await system.startWorker();
    await until(
      'the container is gone',
      () => inspect(runId).catch(() => null),
      (found) => found === null,
    );
  } finally {
    await proxy.close();
  }
});

/** Begins a run that prints its numbered lines for so long, and waits for the first ones. */
async function working(seconds: number): Promise<string> {
  const runId = await begin(system, project, work(seconds), webhook());
  await until(
    'the run prints',
    () => logOf(system, runId),
    (log) => log.includes('line 5\n'),
  );
  return runId;
}

function webhook() {
  return { webhook_enabled: true, webhook_url: receiver.url };
}

function isAlive({ child }: TestProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function kill(process: TestProcess): Promise<void> {
  process.signal('SIGKILL');
  await process.ended;
}

async function rowOf(runId: string) {
  const { rows } = await system.pool.query('SELECT * FROM runs WHERE id = $1', [runId]);
  return rows[0] as { status: string; fence: number; worker_name: string; container_id: string };
}

function inspect(runId: string) {
  return system.docker.getContainer(`dctl-run-${runId}`).inspect();
}

function containersOf(runId: string, action: 'create' | 'start'): string[] {
  return system.containers.events
    .filter((event) => event.runId === runId && event.action === action)
    .map(({ containerId }) => containerId);
}

/** One container, each line once and in order, one webhook. */
async function expectOneOfEverything(runId: string, seconds: number): Promise<void> {
  const { container_id: containerId } = await rowOf(runId);
  expect(containersOf(runId, 'create')).toEqual([containerId]);
  expect(containersOf(runId, 'start')).toEqual([containerId]);
  await expectWholeLog(runId, seconds);
  await expectOneWebhook(runId);
}

async function expectWholeLog(runId: string, seconds: number): Promise<void> {
  const numbers = Array.from({ length: seconds * linesPerSecond }, (_, number) => `line ${number}`);
  expect((await logOf(system, runId)).trimEnd().split('\n')).toEqual(['begins', ...numbers, 'ends']);
}

async function expectOneWebhook(runId: string): Promise<void> {
  const hits = () => receiver.hits.filter(({ body }) => body.includes(runId));
  await until('the webhook has come', hits, ({ length }) => length > 0, 15_000);
  const { rows } = await system.pool.query('SELECT id FROM deliveries WHERE run_id = $1', [runId]);
  expect(rows).toHaveLength(1);
  expect(hits()).toHaveLength(1);
}
