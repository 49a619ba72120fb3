import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { expectInvariants } from '../support/invariants.ts';
import { deployProject, type DeployedProject } from '../support/project.ts';
import { listen, startReceiver, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import {
  createWebhookJob,
  deployProjectWithoutImage,
  headerOf,
  hitsOf,
  revealSecret,
  runAndTell,
} from '../support/webhooks.ts';

const timeoutMs = 1_000;
const retryMs = 2_000;

let system: System;
/** Its runs end at once: what the receiver does is what counts here. */
let project: DeployedProject;
const open: { close: () => Promise<unknown> }[] = [];

beforeAll(async () => {
  system = await startSystem({
    environment: { DCTL_WEBHOOK_TIMEOUT_SECONDS: '1', DCTL_WEBHOOK_RETRY_SECONDS: '2' },
  });
  project = await deployProjectWithoutImage(system);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((thing) => thing.close()));
});
afterAll(async () => {
  await expectInvariants(system);
  await system.stop();
});

// F28
test('a 500 is tried once more after 2 s: the same body and id, a new timestamp, verified on its own', async () => {
  const receiver = await receive((response, hit) =>
    response.writeHead(hit === 1 ? 500 : 200).end(`answer ${hit}`),
  );
  const real = await deployProject(system);
  const job = await createWebhookJob(system, real, receiver.url);
  const { run, delivery } = await runAndTell(system, job);

  expect(run).toMatchObject({ status: 'success', status_reason: null, error_message: null });
  expect(delivery).toMatchObject({
    state: 'delivered',
    tries: [
      {
        number: 1,
        status_code: 500,
        answer: 'answer 1',
        result: 'answered',
        explanation: 'The receiver answered 500. It is sent once more after 2 s.',
      },
      {
        number: 2,
        status_code: 200,
        answer: 'answer 2',
        result: 'answered',
        explanation: 'The receiver answered 200.',
      },
    ],
  });
  expect(receiver.hits).toHaveLength(2);
  const [first, second] = receiver.hits as [Receiver['hits'][0], Receiver['hits'][0]];
  expect(second.arrivedAt.getTime() - first.arrivedAt.getTime()).toBeGreaterThanOrEqual(retryMs);
  expect(second.body).toEqual(first.body);
  for (const name of ['webhook-id', 'x-dagctl-signature'])
    expect(headerOf(second, name)).toBe(headerOf(first, name));
  expect(headerOf(first, 'webhook-id')).toBe(delivery.id);
  expect(Number(headerOf(second, 'webhook-timestamp'))).toBeGreaterThan(
    Number(headerOf(first, 'webhook-timestamp')),
  );

  const webhook = new Webhook(revealSecret(system, job));
  for (const hit of [first, second]) {
    const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
    webhook.verify(hit.body, Object.fromEntries(names.map((name) => [name, headerOf(hit, name)])));
  }
});

// F29
test('a receiver that always fails gets two requests a run and then no more', async () => {
  const receiver = await receive((response) => response.writeHead(503).end());
  const job = await createWebhookJob(system, project, receiver.url);
  const { run, delivery } = await runAndTell(system, job);
  expect(delivery).toMatchObject({
    state: 'failed',
    tries: [
      { status_code: 503, explanation: 'The receiver answered 503. It is sent once more after 2 s.' },
      { status_code: 503, explanation: 'The receiver answered 503. It was the last of 2 tries.' },
    ],
  });

  // The next run's webhook takes longer than the pause before a retry and than two sweeps.
  const next = await runAndTell(system, job);
  expect(hitsOf(receiver.hits, run.id)).toHaveLength(2);
  expect(hitsOf(receiver.hits, next.run.id)).toHaveLength(2);
});

// F30
test.each([400, 401, 404, 409, 410, 429])('a receiver that answers %d gets one request', async (status) => {
  const receiver = await receive((response) => response.writeHead(status, { 'retry-after': '1' }).end('no'));
  const { delivery } = await tell(receiver.url);
  expect(delivery.state).toBe('failed');
  expect(delivery.tries).toMatchObject([
    {
      number: 1,
      status_code: status,
      answer: 'no',
      result: 'answered',
      explanation: `The receiver answered ${status}: a refusal is not tried again.`,
    },
  ]);
  expect(receiver.hits).toHaveLength(1);
});

test.each([301, 302, 307, 308])('a redirect (%d) is a failure: nobody follows it', async (status) => {
  const target = await receive((response) => response.end());
  const receiver = await receive((response) => response.writeHead(status, { location: target.url }).end());
  const { delivery } = await tell(receiver.url);
  expect(delivery).toMatchObject({
    state: 'failed',
    tries: [
      {
        status_code: status,
        explanation: `The receiver answered ${status}: redirects are not followed, nor tried again.`,
      },
    ],
  });
  expect(receiver.hits).toHaveLength(1);
  expect(target.connections()).toBe(0);
});

const late = 'No complete answer came in time; the receiver may have got the webhook all the same.';

// F31
test.each<[string, number | null, (response: ServerResponse) => void]>([
  ['never answers', null, () => undefined],
  ['drips its headers', null, dripHeaders],
  ['drips its body', 200, dripBody],
])('a receiver that %s is cut off at the time limit, and tried once more', async (_what, status, answer) => {
  const receiver = await receive(answer);
  const { run, delivery } = await tell(receiver.url);
  expect(delivery).toMatchObject({
    state: 'failed',
    tries: [
      { status_code: status, result: 'timed_out', explanation: `${late} It is sent once more after 2 s.` },
      { status_code: status, result: 'timed_out', explanation: `${late} It was the last of 2 tries.` },
    ],
  });
  for (const { duration_ms } of delivery.tries) {
    expect(duration_ms).toBeGreaterThanOrEqual(timeoutMs - 5);
    expect(duration_ms).toBeLessThan(timeoutMs + 500);
  }
  expect(receiver.hits).toHaveLength(2);
  expect(run).toMatchObject({ status: 'error', status_reason: 'image_not_found' });
});

// F32
test.each<[string, (response: ServerResponse) => void, RegExp]>([
  [
    'closes the connection',
    (response) => response.destroy(),
    /^The connection ended before an answer came \(\w+\)\./,
  ],
  [
    'does not speak HTTP',
    (response) => response.socket?.end('220 smtp ready\r\n'),
    /^What came back is not an HTTP answer \(HPE_\w+\)\./,
  ],
])('a receiver that %s is tried once more', async (_what, answer, reason) => {
  const receiver = await receive(answer);
  const { delivery } = await tell(receiver.url);
  expect(delivery).toMatchObject({
    state: 'failed',
    tries: [{ status_code: null, result: 'failed' }, { result: 'failed' }],
  });
  expect(delivery.tries[0].explanation).toMatch(reason);
  expect(receiver.hits).toHaveLength(2);
});

test('a port where nobody listens is tried twice, and the reason is shown', async () => {
  const nobody = await listen(createServer());
  await nobody.close();
  const { delivery } = await tell(nobody.url);
  const refused = 'No connection to the host could be made (ECONNREFUSED).';
  expect(delivery).toMatchObject({
    state: 'failed',
    tries: [
      {
        status_code: null,
        answer: null,
        result: 'failed',
        explanation: `${refused} It is sent once more after 2 s.`,
      },
      {
        status_code: null,
        answer: null,
        result: 'failed',
        explanation: `${refused} It was the last of 2 tries.`,
      },
    ],
  });
});

test('of an endless answer 2 KiB are kept, and neither time nor memory is spent on the rest', async () => {
  let sentBytes = 0;
  const receiver = await receive((response) => {
    const gibibyte = 1024 ** 3;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    response.writeHead(200, { 'content-length': gibibyte });
    const more = () => {
      while (!response.destroyed && sentBytes < gibibyte) {
        sentBytes += chunk.length;
        if (!response.write(chunk)) return;
      }
    };
    response.on('drain', more);
    more();
  });
  const memoryBefore = residentMegabytes(system.workers[0]!.pid);
  const { delivery } = await tell(receiver.url);
  expect(delivery).toMatchObject({
    state: 'delivered',
    tries: [{ status_code: 200, answer: 'x'.repeat(2048) }],
  });
  expect(delivery.tries[0].duration_ms).toBeLessThan(timeoutMs);
  expect(sentBytes).toBeLessThan(32 * 1024 ** 2);
  expect(residentMegabytes(system.workers[0]!.pid) - memoryBefore).toBeLessThan(64);
});

async function tell(url: string) {
  return runAndTell(system, await createWebhookJob(system, project, url));
}

/** `answer` is told which request it is, counted from 1. */
async function receive(answer: (response: ServerResponse, hit: number) => void): Promise<Receiver> {
  let count = 0;
  const receiver = await startReceiver((response) => answer(response, (count += 1)));
  open.push(receiver);
  return receiver;
}

function dripHeaders({ socket }: ServerResponse): void {
  socket?.write('HTTP/1.1 200 OK\r\nX-Drip: ');
  drip(() => socket?.write('x'), socket);
}

function dripBody(response: ServerResponse): void {
  response.writeHead(200).write('x');
  drip(() => response.write('x'), response.socket);
}

function drip(drop: () => unknown, socket: ServerResponse['socket']): void {
  const dripping = setInterval(drop, 100);
  socket?.on('close', () => clearInterval(dripping));
}

function residentMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}
