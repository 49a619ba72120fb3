import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { expectInvariants } from '../support/invariants.ts';
import { otherClock } from '../support/other-clock.ts';
import { startProcess, type TestProcess } from '../support/process.ts';
import { ended, trigger } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { makeStandIn, work } from '../support/stand-in.ts';
import { call, startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { createWebhookJob, deliveryEnded, hitsOf, type JobKey } from '../support/webhooks.ts';
import { deployProbe } from '../worker/probe.ts';

const leaseSeconds = 2;
/** Longer than a lease, so that it has to be renewed. */
const workSeconds = 3;

let standIn: Awaited<ReturnType<typeof makeStandIn>>;
let system: System;
let receiver: Receiver;
let job: JobKey;
let folder: string;

beforeAll(async () => {
  standIn = await makeStandIn();
  system = await startSystem({
    workers: 0,
    environment: {
      DCTL_RUNNER_IMAGE: standIn.image,
      DCTL_LEASE_SECONDS: String(leaseSeconds),
      DCTL_SWEEP_SECONDS: '0.5',
    },
  });
  receiver = await startReceiver((response) => response.end());
  job = await createWebhookJob(system, await deployProbe(system), receiver.url, {
    command: work(workSeconds),
  });
  folder = await mkdtemp(join(tmpdir(), 'dctl-test-clock-'));
});
afterEach(async () => {
  await expectInvariants(system);
  for (const worker of system.workers.splice(0)) {
    worker.signal('SIGTERM');
    await worker.ended;
  }
});
afterAll(async () => {
  await system.stop();
  await receiver.close();
  await standIn.remove();
  await rm(folder, { recursive: true, force: true });
});

// F36
test.each([
  ['ten minutes fast', '+10m', 600],
  ['ten minutes slow', '-10m', -600],
])(
  'where clocks are %s no run is taken from its worker, and its times are right',
  async (_how, offset, seconds) => {
    const wrong = otherClock({ offset });
    const api = startProcess('dist/src/main.js', { ...system.environment, ...wrong });
    const { address, time } = (await api.said('serving')) as { address: { port: number }; time: string };
    const skewed: System = {
      ...system,
      call: (method, path, body, headers = {}) =>
        call(`http://127.0.0.1:${address.port}${path}`, method, body, {
          authorization: `Bearer ${system.token}`,
          ...headers,
        }),
    };
    // Else nothing is shown.
    expect((Date.parse(time) - Date.now()) / 1_000).toBeCloseTo(seconds, -1);

    // Held by the one whose clock is wrong, and then by the other; the one that does not hold it sweeps.
    const holders: [Record<string, string>, Record<string, string>][] = [
      [wrong, {}],
      [{}, wrong],
    ];
    for (const [holder, sweeper] of holders) {
      const workers: TestProcess[] = [await system.startWorker(holder)];
      const askedAt = Date.now();
      const runId = await trigger(skewed, job, undefined, { 'idempotency-key': `${offset}-${askedAt}` });
      await untilRunning(runId);
      workers.push(await system.startWorker(sweeper));
      const ran = await ended(skewed, runId);
      await expectRight(ran, askedAt);
      for (const worker of workers) {
        worker.signal('SIGTERM');
        await worker.ended;
      }
    }
    api.signal('SIGTERM');
    await api.ended;
  },
);

// F37
test.each([
  ['back', '-1h'],
  ['forward', '+1h'],
])(
  "a run during which its worker's clock jumps %s by an hour is as long as it was",
  async (_where, offset) => {
    const file = join(folder, 'clock');
    await writeFile(file, '+0');
    const worker = await system.startWorker(otherClock({ file }));
    await system.startWorker();
    const askedAt = Date.now();
    const runId = await trigger(system, job);
    await untilRunning(runId);
    await writeFile(file, offset);
    await expectRight(await ended(system, runId), askedAt);
    const said = worker.lines.find(({ msg }) => msg === 'run ended' || msg === 'webhook ended');
    if (said !== undefined)
      expect(Math.abs(Date.parse(String(said['time'])) - Date.now())).toBeGreaterThan(3_000_000);
  },
);

async function untilRunning(runId: string): Promise<void> {
  const statusOf = async () => (await system.call('GET', `/api/v1/runs/${runId}`)).body.status;
  await until('it executes', statusOf, (status) => status === 'running');
}

/** One worker had it from its beginning to its end, which the right clock saw. */
async function expectRight(ran: any, askedAt: number): Promise<void> {
  expect(ran).toMatchObject({ status: 'success', status_reason: null });
  const { rows } = await system.pool.query('SELECT fence FROM runs WHERE id = $1', [ran.id]);
  expect(rows).toEqual([{ fence: 1 }]);
  const times = [ran.created_at, ran.start_time, ran.end_time].map((time) => Date.parse(time));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times[0]).toBeGreaterThan(askedAt - 1_000);
  expect(times[2]).toBeLessThan(Date.now() + 1_000);
  expect(ran.duration_seconds).toBeGreaterThanOrEqual(workSeconds);
  expect(ran.duration_seconds).toBeLessThanOrEqual((times[2]! - times[1]!) / 1_000 + 0.1);
  expect((await deliveryEnded(system, job, ran.id)).state).toBe('delivered');
  expect(hitsOf(receiver.hits, ran.id)).toHaveLength(1);
}
