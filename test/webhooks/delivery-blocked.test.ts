import { lookup } from 'node:dns/promises';
import { hostname } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addressVerdict } from '../../src/addresses.ts';
import { startProcess } from '../support/process.ts';
import type { DeployedProject } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { call, startSystem, type System } from '../support/system.ts';
import {
  changeJob,
  createWebhookJob,
  deliveriesOf,
  deployProjectWithoutImage,
  runAndTell,
} from '../support/webhooks.ts';

const everywhere = '0.0.0.0/0, ::/0';

let system: System;
let project: DeployedProject;
let receiver: Receiver;

beforeAll(async () => {
  const environment = { DCTL_WEBHOOK_ALLOW_CIDRS: '', DCTL_WEBHOOK_RETRY_SECONDS: '0.2' };
  [system, receiver] = await Promise.all([
    startSystem({ environment }),
    startReceiver((response) => response.end()),
  ]);
  project = await deployProjectWithoutImage(system);
});
afterAll(async () => {
  await receiver.close();
  await system.stop();
});

test.each([
  'http://127.0.0.1:PORT/hook',
  'http://localhost:PORT/hook',
  'http://LOCALHOST.:PORT/hook',
  'http://a.localhost:PORT/hook',
  'http://2130706433:PORT/hook',
  'http://0x7f.1:PORT/hook',
  'http://127.1:PORT/hook',
  'http://１２７.0.0.1:PORT/hook',
  'http://0.0.0.0:PORT/hook',
  'http://[::1]:PORT/hook',
  'http://[::ffff:127.0.0.1]:PORT/hook',
  'http://[64:ff9b::7f00:1]:PORT/hook',
  'http://10.0.0.1/hook',
  'http://192.168.1.1/hook',
  'http://100.64.0.1/hook',
  'http://169.254.169.254/latest/meta-data/',
  'http://user:secret@example.com/hook',
  'ftp://example.com/hook',
  'file:///etc/passwd',
])('%s is refused when it is saved, with what to change', async (template) => {
  const webhook_url = template.replace('PORT', String(receiver.port));
  const job = await createWebhookJob(system, project, 'https://example.com/hook');
  const refused = await changeJob(system, job, { webhook_url });
  expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: '/webhook_url' }] } });
  expect(refused.body.errors[0].detail).toMatch(/^[A-Z].*\.$/);
  expect(refused.text).not.toContain('secret');
  const { body } = await system.call('GET', `/api/v1/projects/${job.projectId}/jobs/${job.jobId}`);
  expect(body.webhook_url).toBe('https://example.com/hook');
  expect(receiver.connections()).toBe(0);
});

test('a name that leads to this machine is blocked when it is sent to: nothing is sent, nor tried again', async () => {
  const url = `http://${await nameOfThisMachine()}:${receiver.port}/hook`;
  const job = await createWebhookJob(system, project, url);
  const { run, delivery } = await runAndTell(system, job);

  expect(run.status_reason).toBe('image_not_found');
  expect(delivery).toMatchObject({
    state: 'blocked',
    tries: [{ number: 1, status_code: null, duration_ms: null, answer: null, result: 'blocked' }],
  });
  expect(delivery.tries[0].explanation).toMatch(
    /^Webhooks are not sent to this host: it is a \w+ address\. .*Nothing was sent, and it is not tried again\.$/,
  );
  expect(delivery.tries[0].explanation).not.toMatch(/\d+\.\d+\.\d+|::/);
  expect(receiver.connections()).toBe(0);

  // The same name is sent to where the operator opened its range: only the judgement kept it from being reached.
  await replaceWorker({ DCTL_WEBHOOK_ALLOW_CIDRS: everywhere });
  expect((await runAndTell(system, job)).delivery.state).toBe('delivered');
  expect(receiver.hits).toHaveLength(1);
  await replaceWorker({});
});

test('a blocked host looks the same whether somebody listens there or not', async () => {
  const [listening, silent] = await Promise.all([
    startReceiver((response) => response.end()),
    startReceiver(() => undefined),
  ]);
  await silent.close();
  const name = await nameOfThisMachine();
  const told = [];
  for (const { port } of [listening, silent]) {
    const { delivery } = await runAndTell(
      system,
      await createWebhookJob(system, project, `http://${name}:${port}/hook`),
    );
    told.push(
      delivery.tries.map(({ result, duration_ms, explanation }: any) => ({
        result,
        duration_ms,
        explanation,
      })),
    );
  }
  expect(told[0]).toEqual(told[1]);
  expect(listening.connections()).toBe(0);
  await listening.close();
});

test('a URL saved while its range was open is blocked once the range is closed', async () => {
  const opened = startProcess('dist/src/main.js', {
    ...system.environment,
    DCTL_WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8',
  });
  const { address } = (await opened.said('serving')) as { address: { port: number } };
  const earlier: System = {
    ...system,
    call: (method, path, body) =>
      call(`http://127.0.0.1:${address.port}${path}`, method, body, {
        authorization: `Bearer ${system.token}`,
      }),
  };
  const before = receiver.connections();
  const job = await createWebhookJob(earlier, project, receiver.url);
  opened.signal('SIGTERM');
  await opened.ended;

  const { delivery } = await runAndTell(system, job);
  expect(delivery).toMatchObject({ url: receiver.url, state: 'blocked', tries: [{ result: 'blocked' }] });
  expect(await deliveriesOf(system, job)).toHaveLength(1);
  expect(receiver.connections()).toBe(before);
});

async function replaceWorker(environment: Record<string, string>): Promise<void> {
  const [worker] = system.workers.splice(0);
  worker!.signal('SIGTERM');
  await worker!.ended;
  await system.startWorker(environment);
}

/** A host name that is no literal and leads to an address of this machine that is not public. */
async function nameOfThisMachine(): Promise<string> {
  for (const name of [hostname(), 'ip6-localhost', 'localhost4', 'localhost6']) {
    const found = await lookup(name, { all: true }).catch(() => []);
    if (found.some(({ address }) => addressVerdict(address, []).blocked)) return name;
  }
  throw new Error("No name in this machine's /etc/hosts leads to it: add its own (hostname) there.");
}
