import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openDoorbell, type Doorbell } from '../../src/queue.ts';
import { expectInvariants } from '../support/invariants.ts';
import { countMessages } from '../support/messages.ts';
import { ended, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Hit, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import {
  changeJob,
  createWebhookJob,
  deliveriesOf,
  deliveryEnded,
  deployProjectWithoutImage,
  headerOf,
  hitsOf,
  runAndTell,
} from '../support/webhooks.ts';

// A delivery nobody has ended after 2 * 2 + 0.5 + 2 s is given up.
const times = {
  DCTL_WEBHOOK_TIMEOUT_SECONDS: '2',
  DCTL_WEBHOOK_RETRY_SECONDS: '0.5',
  DCTL_LEASE_SECONDS: '2',
  DCTL_SWEEP_SECONDS: '0.2',
};

let system: System;
let project: DeployedProject;
let doorbell: Doorbell;
const receivers: Receiver[] = [];

beforeAll(async () => {
  system = await startSystem({ workers: 0, environment: times });
  project = await deployProjectWithoutImage(system);
  doorbell = openDoorbell(readConfig(system.environment), createLog('setup', 'error'));
});
afterEach(async () => {
  for (const worker of system.workers.splice(0)) {
    worker.signal('SIGKILL');
    await worker.ended;
  }
  await Promise.all(receivers.splice(0).map((receiver) => receiver.close()));
});
afterAll(async () => {
  await expectInvariants(system);
  await doorbell.close();
  await system.stop();
});

test('workers killed at random moments of 50 webhooks: one id a run, two tries at most, and what is half-sent stays so', async () => {
  const receiver = await receive(async (response) => {
    const status = Math.random() < 0.5 ? 200 : 500;
    await delay(Math.random() * 400);
    response.writeHead(status).end();
  });
  const job = await createWebhookJob(system, project, receiver.url, { max_parallel_runs: 100 });

  const runIds: string[] = [];
  for (let round = 1; round <= 10; round += 1) {
    const started = await Promise.all(Array.from({ length: 5 }, () => trigger(system, job)));
    runIds.push(...started);
    const worker = await system.startWorker();
    await until(
      'one of them is being sent',
      () => countSending(started),
      (count) => count > 0,
    );
    await delay(Math.random() * 300);
    worker.signal('SIGKILL');
    await worker.ended;
  }
  await system.startWorker();
  await Promise.all(runIds.map((runId) => deliveryEnded(system, job, runId)));

  const deliveries = await deliveriesOf(system, job);
  const unknown = deliveries.filter(({ state }) => state === 'unknown');
  expect(deliveries.map(({ run_id }) => run_id).sort()).toEqual([...runIds].sort());
  expect(unknown.length).toBeGreaterThan(0);
  // Not even a message about each of them makes anybody send them again.
  await Promise.all(unknown.map(({ id }) => doorbell.ringDelivery(id)));
  await runAndTell(system, job);

  for (const { id, run_id, state, tries } of deliveries) {
    const hits = hitsOf(receiver.hits, run_id);
    expect(['delivered', 'failed', 'unknown']).toContain(state);
    expect(new Set([id, ...hits.map((hit) => headerOf(hit, 'webhook-id'))])).toEqual(new Set([id]));
    expect(hits.length).toBeLessThanOrEqual(tries.length);
    expect(tries.length).toBeLessThanOrEqual(2);
    if (state !== 'unknown') expect(hits).toHaveLength(tries.length);
  }
}, 300_000);

// F34
test("a worker killed between the receiver's 200 and its own note of it leaves the delivery unknown", async () => {
  const worker = await system.startWorker();
  const receiver = await receive(async (response) => {
    // Stopped, it cannot take note of the answer, which is on its way all the same.
    worker.signal('SIGSTOP');
    response.writeHead(200).end(() => worker.signal('SIGKILL'));
  });
  const job = await createWebhookJob(system, project, receiver.url);
  const runId = await trigger(system, job);
  await worker.ended;
  expect(await deliveriesOf(system, job)).toMatchObject([{ run_id: runId, state: 'sending' }]);

  await system.startWorker();
  expect(await deliveryEnded(system, job, runId)).toMatchObject({
    state: 'unknown',
    tries: [{ number: 1, status_code: null, result: null, explanation: null }],
  });
  expect(await ended(system, runId)).toMatchObject({ status: 'error', status_reason: 'image_not_found' });
  // Not even when somebody is told of it again.
  await doorbell.ringDelivery(headerOf(receiver.hits[0]!, 'webhook-id'));
  await runAndTell(system, job);
  expect(hitsOf(receiver.hits, runId)).toHaveLength(1);
});

test('a worker that was away for too long does not send the retry of a delivery given up meanwhile', async () => {
  const asleep = await system.startWorker();
  const receiver = await receive(() => asleep.signal('SIGSTOP'));
  const job = await createWebhookJob(system, project, receiver.url);
  const runId = await trigger(system, job);
  await until(
    'the webhook is held',
    () => receiver.hits.length,
    (count) => count === 1,
  );

  await system.startWorker();
  const delivery = await deliveryEnded(system, job, runId);
  expect(delivery.state).toBe('unknown');
  asleep.signal('SIGCONT');
  const ends = ['a webhook was given up meanwhile', 'webhook ended'];
  const saidAnEnd = () => asleep.lines.map(({ msg }) => msg).filter((msg) => ends.includes(String(msg)));
  expect(await until('it is through with it', saidAnEnd, (said) => said.length > 0, 20_000)).toEqual([
    ends[0],
  ]);
  expect(receiver.hits).toHaveLength(1);
  expect(await deliveriesOf(system, job)).toMatchObject([{ state: 'unknown', tries: [{ number: 1 }] }]);
});

test('two workers that are told of the same delivery many times send it once', async () => {
  const patient = { DCTL_WEBHOOK_TIMEOUT_SECONDS: '30' };
  await Promise.all([system.startWorker(patient), system.startWorker(patient)]);
  const receiver = await receive(async (response, hit) => {
    if (receiver.hits.length === 1) await ringUntilHeard(headerOf(hit, 'webhook-id'), 1);
    response.end();
  });
  const job = await createWebhookJob(system, project, receiver.url);
  const { delivery } = await runAndTell(system, job);
  expect(delivery).toMatchObject({ state: 'delivered', tries: [{ number: 1 }] });
  await ringUntilHeard(delivery.id, 0);
  expect(receiver.hits).toHaveLength(1);
});

// F35
test('a change of the webhook while it waits for its retry changes nothing of what is sent', async () => {
  await system.startWorker();
  const newcomer = await receive(async (response) => void response.end());
  const receiver = await receive(async (response) => {
    const change = {
      webhook_url: newcomer.url,
      webhook_headers: { 'X-Key': 'new' },
      webhook_events: ['completed'],
      name: 'renamed',
    };
    if (receiver.hits.length === 1) await expectStatus(200, changeJob(system, job, change));
    response.writeHead(receiver.hits.length === 1 ? 500 : 200).end();
  });
  const job = await createWebhookJob(system, project, receiver.url, { webhook_headers: { 'X-Key': 'old' } });
  const { delivery } = await runAndTell(system, job);

  expect(delivery).toMatchObject({
    state: 'delivered',
    url: receiver.url,
    tries: [{ status_code: 500 }, { status_code: 200 }],
  });
  const [first, second] = receiver.hits;
  expect(second!.body).toEqual(first!.body);
  for (const name of ['x-key', 'x-dagctl-signature', 'webhook-id'])
    expect(headerOf(second!, name)).toBe(headerOf(first!, name));
  expect(headerOf(second!, 'x-key')).toBe('old');
  expect(newcomer.connections()).toBe(0);
});

async function receive(
  answer: (response: ServerResponse, hit: Hit) => Promise<void> | void,
): Promise<Receiver> {
  const receiver = await startReceiver((response) => void answer(response, receiver.hits.at(-1)!));
  receivers.push(receiver);
  return receiver;
}

async function countSending(runIds: string[]): Promise<number> {
  const sql = `SELECT count(*)::int FROM deliveries WHERE run_id = ANY($1) AND state = 'sending'`;
  return (await system.pool.query(sql, [runIds])).rows[0].count;
}

/** Rings ten times, and waits until no more messages about the delivery are left than the one that is at work. */
async function ringUntilHeard(deliveryId: string, atWork: number): Promise<void> {
  await Promise.all(Array.from({ length: 10 }, () => doorbell.ringDelivery(deliveryId)));
  await until(
    'the messages are taken',
    () => countMessages(system, deliveryId),
    (count) => count === atWork,
    20_000,
  );
}
