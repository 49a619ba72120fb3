import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { watchCreatedContainers } from '../support/created-containers.ts';
import { startDockerProxy } from '../support/docker-proxy.ts';
import type { TestProcess } from '../support/process.ts';
import { ended, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { begin, deployProbe, logOf } from './probe.ts';

const leaseSeconds = 3;
const sweepSeconds = 1;
/** The promise is the lease, a sweep and 2 s; the rest is for a busy machine. */
const takeOverMs = (leaseSeconds + sweepSeconds + 2 + 2) * 1_000;

let system: System;
let project: DeployedProject;
let receiver: Receiver;
let created: Awaited<ReturnType<typeof watchCreatedContainers>>;
let worker: TestProcess;

beforeAll(async () => {
  const environment = { DCTL_LEASE_SECONDS: String(leaseSeconds), DCTL_SWEEP_SECONDS: String(sweepSeconds) };
  system = await startSystem({ workers: 0, environment });
  project = await deployProbe(system);
  receiver = await startReceiver((response) => response.end());
  created = await watchCreatedContainers(system.docker);
});
afterAll(async () => {
  created.close();
  await system.stop();
  await receiver.close();
});

beforeEach(async () => {
  worker = await system.startWorker();
});
afterEach(async () => {
  for (const each of system.workers) each.signal('SIGKILL');
  await Promise.all(system.workers.map((each) => each.ended));
});

describe('a worker that is killed', () => {
  test('while its run executes is replaced within its lease: same container, whole log, one result', async () => {
    const runId = await count(50);
    const other = await system.startWorker();
    await kill(worker);
    const killedAt = performance.now();
    await until(
      'the other worker has the run',
      () => rowOf(runId),
      (row) => row.fence === 2,
      takeOverMs,
    );
    console.info(`taken over after ${Math.round(performance.now() - killedAt)} ms`);

    expect(await ended(system, runId)).toMatchObject({ status: 'success', nodes_succeeded: 1 });
    await expectOneOfEverything(runId, 50);
    expect(other.child.exitCode).toBeNull();
  });

  test('is replaced by the next one to start, which reads the true result of a container that has ended', async () => {
    const runId = await count(10, 'broken');
    await kill(worker);
    await until(
      'the container has ended',
      () => inspect(runId),
      (found) => found.State.Status === 'exited',
    );
    expect((await rowOf(runId)).status).toBe('running');

    await system.startWorker();
    expect(await ended(system, runId)).toMatchObject({
      status: 'partial',
      nodes_total: 2,
      nodes_succeeded: 1,
      nodes_failed: 1,
    });
    await expectOneOfEverything(runId, 10);
  });

  test('and whose container is gone as well leaves a run that is error, container_lost', async () => {
    const runId = await count(100);
    await kill(worker);
    await system.docker.getContainer(`dctl-run-${runId}`).remove({ force: true, v: true });
    await system.startWorker();
    expect(await ended(system, runId)).toMatchObject({ status: 'error', status_reason: 'container_lost' });
    await expectOneWebhook(runId);
  });
});

describe('a worker that is killed while it launches leaves a run that is executed at most once:', () => {
  test.each([
    ['before the container is made', /^POST .*\/containers\/create/, 'success', 1],
    ['before the files are in the container', /^PUT .*\/archive/, 'success', 2],
    ['before the container is started', /^POST .*\/start/, 'error', 1],
  ])('%s', async (_when, request, status, containers) => {
    await kill(worker);
    const proxy = await startDockerProxy();
    try {
      const held = proxy.hold(request);
      const doomed = await system.startWorker({ DOCKER_HOST: proxy.host });
      const runId = await begin(system, project, 'dbt run-operation say', webhook());
      await held;
      await kill(doomed);
      await system.startWorker();

      const ran = await ended(system, runId);
      expect(ran.status).toBe(status);
      if (status === 'error') expect(ran.status_reason).toBe('could_not_start');
      expect(created.of(runId)).toHaveLength(containers);
      const saidTimes = (await logOf(system, runId)).split('"said"').length - 1;
      expect(saidTimes).toBe(status === 'success' ? 1 : 0);
      await expectOneWebhook(runId);
    } finally {
      await proxy.close();
    }
  });
});

test('a worker told to stop exits with 0 within 10 s, and the next one finishes its run', async () => {
  const runId = await count(60);
  const stoppedAt = performance.now();
  worker.signal('SIGTERM');
  expect(await worker.ended).toBe(0);
  expect(performance.now() - stoppedAt).toBeLessThan(10_000);
  expect((await inspect(runId)).State.Running).toBe(true);

  await system.startWorker();
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  await expectOneOfEverything(runId, 60);
});

test('a worker that was taken for dead and comes back changes nothing of its run', async () => {
  const runId = await count(60);
  worker.signal('SIGSTOP');
  const other = await system.startWorker();
  const taken = await until(
    'the other worker has the run',
    () => rowOf(runId),
    (row) => row.fence === 2,
  );
  worker.signal('SIGCONT');
  await worker.said('let go of a run');
  expect((await rowOf(runId)).worker_name).toBe(taken.worker_name);

  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  await expectOneOfEverything(runId, 60);
  expect(worker.lines.map(({ msg }) => msg)).not.toContain('run ended');
  expect(other.lines.map(({ msg }) => msg)).toContain('run ended');
});

test('a run whose container is removed by hand is error, container_lost', async () => {
  const runId = await count(100);
  await system.docker.getContainer(`dctl-run-${runId}`).remove({ force: true, v: true });
  expect(await ended(system, runId)).toMatchObject({ status: 'error', status_reason: 'container_lost' });
  await expectOneWebhook(runId);
});

test('the container that a worker did not live to remove is removed by the next one', async () => {
  await kill(worker);
  const proxy = await startDockerProxy();
  try {
    const held = proxy.hold(/^DELETE .*\/containers\//);
    const doomed = await system.startWorker({ DOCKER_HOST: proxy.host });
    const runId = await begin(system, project, 'dbt run-operation say');
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

/** Begins a run that prints so many numbered lines, five a second, and waits for the fifth. */
async function count(lines: number, ...models: string[]): Promise<string> {
  const select = ['counting', ...models].join(' ');
  const vars = JSON.stringify({ lines, pause: 0.2 });
  const runId = await begin(system, project, `dbt run --select ${select} --vars '${vars}'`, webhook());
  await until(
    'the run prints',
    () => logOf(system, runId),
    (log) => log.includes('line 5 '),
  );
  return runId;
}

function webhook() {
  return { webhook_enabled: true, webhook_url: receiver.url };
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

/** One container, each line once and in order, one webhook. */
async function expectOneOfEverything(runId: string, lines: number): Promise<void> {
  expect(created.of(runId)).toEqual([(await rowOf(runId)).container_id]);
  const printed = (await logOf(system, runId)).match(/^line \d+ ✓$/gm);
  expect(printed).toEqual(Array.from({ length: lines }, (_, number) => `line ${number} ✓`));
  await expectOneWebhook(runId);
}

async function expectOneWebhook(runId: string): Promise<void> {
  const hits = () => receiver.hits.filter(({ body }) => body.includes(runId));
  await until('the webhook has come', hits, ({ length }) => length > 0, 15_000);
  const { rows } = await system.pool.query('SELECT id FROM deliveries WHERE run_id = $1', [runId]);
  expect(rows).toHaveLength(1);
  expect(hits()).toHaveLength(1);
}
