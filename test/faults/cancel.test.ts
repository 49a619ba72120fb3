import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { expectInvariants } from '../support/invariants.ts';
import { ended, trigger } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { makeStandIn, work } from '../support/stand-in.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { bodyOf, createWebhookJob, type JobKey } from '../support/webhooks.ts';
import { deployProbe } from '../worker/probe.ts';

/** The promise, for whatever grace up to the default one of 10 s. */
const overMs = 15_000;
const leaseSeconds = 2;
const timesEach = 13;
const atOnce = 8;
const isAtWork = `EXISTS (SELECT FROM log_chunks
  WHERE run_id = runs.id AND convert_from(content, 'UTF8') LIKE '%begins%')`;

let standIn: Awaited<ReturnType<typeof makeStandIn>>;
let system: System;
let slow: JobKey;
let quick: JobKey;
let receiver: Receiver;

beforeAll(async () => {
  standIn = await makeStandIn();
  const environment = {
    DCTL_CANCEL_GRACE_SECONDS: '2',
    DCTL_LEASE_SECONDS: String(leaseSeconds),
    DCTL_SWEEP_SECONDS: '0.5',
    DCTL_RUNNER_IMAGE: standIn.image,
  };
  system = await startSystem({ workers: 2, environment });
  receiver = await startReceiver((response) => response.end());
  const project = await deployProbe(system);
  const manyAtOnce = { max_parallel_runs: 100 };
  slow = await createWebhookJob(system, project, receiver.url, { command: work(300), ...manyAtOnce });
  quick = await createWebhookJob(system, project, receiver.url, { command: work(0.3), ...manyAtOnce });
});
afterAll(async () => {
  await system.stop();
  await receiver.close();
  await standIn.remove();
});
afterEach(() => expectInvariants(system));

// F45
test('a run that is cancelled comes to one end within 15 s, whatever it is doing', async () => {
  const when: Record<string, () => Promise<string>> = {
    queued: async () => after(10, await trigger(system, slow)),
    creating: async () => after(600, await trigger(system, slow)),
    running: async () => after(500, await reached('launched_at IS NOT NULL', slow)),
    finishing: async () => after(300, await reached(isAtWork, quick)),
  };
  const seen: { state: string; runId: string; answer: number; ms: number; ran: any }[] = [];
  const cancelOne = async (state: string) => {
    const runId = await when[state]!();
    const cancelledAt = performance.now();
    const { status: answer } = await system.call('POST', `/api/v1/runs/${runId}/cancel`);
    const ran = await ended(system, runId, overMs);
    seen.push({ state, runId, answer, ms: Math.round(performance.now() - cancelledAt), ran });
  };
  const wanted = Object.keys(when).flatMap((state) => Array.from({ length: timesEach }, () => state));
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let state = wanted.pop(); state !== undefined; state = wanted.pop()) await cancelOne(state);
    }),
  );
  console.info(summary(seen));

  expect(seen).toHaveLength(4 * timesEach);
  for (const { runId, answer, ran } of seen) {
    const { status, status_reason: reason } = (await system.call('GET', `/api/v1/runs/${runId}`)).body;
    expect({ runId, status, reason }).toEqual({ runId, status: ran.status, reason: ran.status_reason });
    // Whatever was not cancelled had come to its own end.
    expect([`200 cancelled`, `200 null`, `409 null`]).toContain(`${answer} ${reason}`);
  }
  expect(seen.filter(({ ran }) => ran.status_reason === 'cancelled').length).toBeGreaterThan(2 * timesEach);
  await expectOneWebhookEach(seen.map(({ runId }) => runId));
  const said = system.workers.flatMap(({ lines }) => lines.map(({ msg }) => msg));
  expect(said).not.toContain('a message could not be handled');
});

test('a run that is cancelled when its worker has just died is over soon after the lease: interrupted, and its container gone', async () => {
  const runId = await reached(isAtWork, slow);
  const { rows } = await system.pool.query('SELECT worker_name FROM runs WHERE id = $1', [runId]);
  const worker = system.workers.find(({ lines }) =>
    lines.some(({ worker: name }) => name === rows[0].worker_name),
  );
  worker!.signal('SIGKILL');
  await worker!.ended;
  const cancelledAt = performance.now();
  await system.call('POST', `/api/v1/runs/${runId}/cancel`);
  const ran = await ended(system, runId, overMs);
  expect(performance.now() - cancelledAt).toBeLessThan((leaseSeconds + 0.5 + 2 + 3) * 1_000);
  expect(ran).toMatchObject({ status: 'error', status_reason: 'cancelled' });
  await until(
    'it is known that its container is gone',
    async () => (await system.call('GET', `/api/v1/runs/${runId}`)).body.interruption,
    (interruption) => interruption.container_gone_at !== null,
  );
  const { interruption } = (await system.call('GET', `/api/v1/runs/${runId}`)).body;
  expect(interruption).toMatchObject({ signal_sent_at: expect.any(String), kill_sent_at: null });
  const times = [ran.cancel_requested_at, interruption.signal_sent_at, interruption.container_gone_at];
  expect(times.map((time) => Date.parse(time))).toEqual(
    times.map((time) => Date.parse(time)).toSorted((a, b) => a - b),
  );
});

/** Lets so many milliseconds pass at most. */
async function after(atMostMs: number, runId: string): Promise<string> {
  await delay(Math.random() * atMostMs);
  return runId;
}

/** Triggers a run and waits until the condition holds of its row. */
async function reached(condition: string, job: JobKey): Promise<string> {
  const runId = await trigger(system, job);
  const look = () => system.pool.query(`SELECT id FROM runs WHERE id = $1 AND ${condition}`, [runId]);
  await until(condition, look, ({ rowCount }) => rowCount === 1);
  return runId;
}

function summary(seen: { state: string; ms: number; ran: any }[]): string {
  return [...new Set(seen.map(({ state }) => state))]
    .map((state) => {
      const these = seen.filter((each) => each.state === state);
      const before = these.filter(({ ran }) => ran.start_time === null).length;
      const own = these.filter(({ ran }) => ran.status_reason !== 'cancelled').length;
      const slowest = Math.max(...these.map(({ ms }) => ms));
      return `${state}: ${these.length}, ${before} before their claim, ${own} kept their own result, slowest ${slowest} ms`;
    })
    .join('\n');
}

async function expectOneWebhookEach(runIds: string[]): Promise<void> {
  const hits = () =>
    receiver.hits.map((hit) => bodyOf(hit).conf.job_run.id).filter((id) => runIds.includes(id));
  await until('all webhooks have come', hits, ({ length }) => length >= runIds.length);
  expect(hits().toSorted()).toEqual(runIds.toSorted());
  const { rows } = await system.pool.query('SELECT run_id FROM deliveries WHERE run_id = ANY($1)', [runIds]);
  expect(rows).toHaveLength(runIds.length);
}
