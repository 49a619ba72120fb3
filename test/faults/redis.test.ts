import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { expectInvariants } from '../support/invariants.ts';
import { ended, trigger } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { makeStandIn, work } from '../support/stand-in.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { createWebhookJob, deliveryEnded, hitsOf, type JobKey } from '../support/webhooks.ts';
import { deployProbe } from '../worker/probe.ts';

const leaseSeconds = 3;
const sweepSeconds = 1;
const together = { max_parallel_runs: 100 };

let folder: string;
let standIn: Awaited<ReturnType<typeof makeStandIn>>;
let redis: RedisServer;
let system: System;
let receiver: Receiver;
let quick: JobKey;
let slow: JobKey;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dctl-test-redis-'));
  [standIn, redis] = await Promise.all([makeStandIn(), startRedis({ appendonly: 'yes', dir: folder })]);
  system = await startSystem({
    environment: {
      REDIS_URL: redis.url,
      DCTL_RUNNER_IMAGE: standIn.image,
      DCTL_LEASE_SECONDS: String(leaseSeconds),
      DCTL_SWEEP_SECONDS: String(sweepSeconds),
      DCTL_WORKER_CONCURRENCY: '3',
    },
  });
  receiver = await startReceiver((response) => response.end());
  const project = await deployProbe(system);
  quick = await createWebhookJob(system, project, receiver.url, { ...together, command: work(0.1) });
  slow = await createWebhookJob(system, project, receiver.url, { ...together, command: work(4) });
});
afterEach(() => expectInvariants(system));
afterAll(async () => {
  await system.stop();
  await receiver.close();
  await redis.close();
  await standIn.remove();
  await rm(folder, { recursive: true, force: true });
});

// F8, F9
test.each([
  [
    'is killed and started again',
    async () => {
      await redis.kill();
      const asked = await triggerInTime();
      await redis.start();
      return [asked];
    },
  ],
  [
    'loses everything',
    async () => {
      await redis.client.flushall();
      return [await triggerInTime()];
    },
  ],
])(
  '20 runs that wait, 2 that execute and 1 asked for meanwhile all end when Redis %s',
  async (_what, breakIt) => {
    const executing = await Promise.all([trigger(system, slow), trigger(system, slow)]);
    await until(
      'both execute',
      () => statusesOf(executing),
      (statuses) => statuses.every((each) => each === 'running'),
    );
    const waiting = await Promise.all(Array.from({ length: 20 }, () => trigger(system, quick)));
    const meanwhile = await breakIt();
    const brokenAt = performance.now();

    await until(
      'one more is taken from the queue',
      () => statusesOf([...waiting, ...meanwhile]),
      (statuses) => statuses.some((each) => each === 'success'),
      (leaseSeconds + sweepSeconds + 2 + 4) * 1_000,
    );
    console.info(`the queue went on after ${Math.round(performance.now() - brokenAt)} ms`);
    await expectOneOfEach(slow, executing);
    await expectOneOfEach(quick, [...waiting, ...meanwhile]);
  },
);

// F10
test('a trigger while Redis is away is answered within 2 s, and its run is executed once Redis is back', async () => {
  await redis.kill();
  const runId = await triggerInTime();
  expect(await statusesOf([runId])).toEqual(['queued']);
  await redis.start();
  await expectOneOfEach(quick, [runId]);
});

test('a run that ends while Redis is away is told once Redis is back', async () => {
  const runId = await trigger(system, slow);
  await until(
    'it executes',
    () => statusesOf([runId]),
    ([status]) => status === 'running',
  );
  await redis.kill();
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  await redis.start();
  await expectOneOfEach(slow, [runId]);
});

// F11
test('while Redis has no memory left triggers are taken and readiness says why; it all goes on by itself', async () => {
  const readiness = async () => (await system.call('GET', '/readyz')).status;
  expect(await readiness()).toBe(200);
  await redis.client.config('SET', 'maxmemory', '100kb');
  const runId = await triggerInTime();
  expect(await system.call('GET', '/readyz')).toMatchObject({
    status: 503,
    body: { errors: [{ pointer: 'queue', detail: expect.stringContaining('maxmemory') }] },
  });
  await redis.client.config('SET', 'maxmemory', '0');
  await until('it is ready again', readiness, (status) => status === 200);
  await expectOneOfEach(quick, [runId]);
});

async function triggerInTime(): Promise<string> {
  const askedAt = performance.now();
  const runId = await trigger(system, quick);
  expect(performance.now() - askedAt).toBeLessThan(2_000);
  return runId;
}

async function statusesOf(runIds: string[]): Promise<string[]> {
  const { rows } = await system.pool.query('SELECT status FROM runs WHERE id = ANY($1)', [runIds]);
  return rows.map(({ status }) => status);
}

/** One success, one container and one webhook each. */
async function expectOneOfEach(job: JobKey, runIds: string[]): Promise<void> {
  for (const runId of runIds) {
    expect(await ended(system, runId)).toMatchObject({ status: 'success' });
    expect((await deliveryEnded(system, job, runId)).state).toBe('delivered');
    expect(hitsOf(receiver.hits, runId)).toHaveLength(1);
    const made = system.containers.events.filter((each) => each.runId === runId && each.action === 'create');
    expect(made).toHaveLength(1);
  }
}
