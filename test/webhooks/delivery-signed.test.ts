import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Hit, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import {
  bodyOf,
  changeJob,
  createWebhookJob,
  headerOf,
  hitsOf,
  quickCommand,
  revealSecret,
  runAndTell,
} from '../support/webhooks.ts';

let system: System;
let project: DeployedProject;
let receiver: Receiver;

beforeAll(async () => {
  [system, receiver] = await Promise.all([
    startSystem(),
    startReceiver((response) => response.end('thank you')),
  ]);
  project = await deployProject(system, { name: 'Größenmaße 数据' });
});
afterAll(async () => {
  await receiver.close();
  await system.stop();
});

test("a run's end is told within a second, once, in the documented words", async () => {
  const job = await createWebhookJob(system, project, receiver.url, { name: 'Übersicht – 日報 🚀' });
  const { run, delivery } = await runAndTell(system, job);

  const [hit, ...more] = hitsOf(receiver.hits, run.id);
  expect(more).toEqual([]);
  // Both clocks are this machine's. The webhook's own times are whole seconds, the run's are exact.
  expect(hit!.arrivedAt.getTime() - Date.parse(run.end_time)).toBeLessThan(1_000);

  const organization = await system.pool.query('SELECT id, name FROM organizations');
  const wholeSeconds = (time: string) => `${time.slice(0, 19)}Z`;
  const documented = {
    conf: {
      event: 'job.completed',
      timestamp: wholeSeconds(run.end_time),
      job: { id: job.jobId, name: 'Übersicht – 日報 🚀', command: quickCommand },
      job_run: {
        id: run.id,
        status: 'success',
        triggered_by: 'manual',
        start_time: wholeSeconds(run.start_time),
        end_time: wholeSeconds(run.end_time),
        duration_seconds: run.duration_seconds,
        command_override: null,
        error_message: null,
      },
      project: { id: project.projectId, name: 'Größenmaße 数据', type: 'dbt' },
      organization: { id: system.organizationId, name: organization.rows[0].name },
    },
  };
  expect(hit!.body.toString()).toBe(JSON.stringify(documented));
  expect(headerOf(hit!, 'x-dagctl-event')).toBe('job.completed');
  expect(headerOf(hit!, 'content-type')).toBe('application/json');
  expect(delivery).toMatchObject({
    run_id: run.id,
    event: 'job.completed',
    state: 'delivered',
    tries: [{ number: 1, status_code: 200, answer: 'thank you', result: 'answered' }],
  });
});

test('both signatures verify over the exact bytes, with the secret of the job and no other', async () => {
  const [job, otherJob] = await Promise.all([
    createWebhookJob(system, project, receiver.url, { name: 'Prüfung №1' }),
    createWebhookJob(system, project, receiver.url),
  ]);
  const { run } = await runAndTell(system, job, { cause: 'Läufe «新しい»', metadata: { señal: 'añil 🚦' } });
  const hit = hitsOf(receiver.hits, run.id)[0]!;
  const [secret, otherSecret] = [revealSecret(system, job), revealSecret(system, otherJob)];

  const signature = headerOf(hit, 'x-dagctl-signature');
  expect(signature).toBe(`sha256=${hmacByOpenssl(hit.body, secret)}`);
  expect(signature).not.toBe(`sha256=${hmacByOpenssl(hit.body, otherSecret)}`);
  expect(signature).not.toBe(`sha256=${hmacByOpenssl(withOneBitFlipped(hit.body), secret)}`);

  const headers = standardHeaders(hit);
  expect(new Webhook(secret).verify(hit.body, headers)).toEqual(bodyOf(hit));
  expect(() => new Webhook(otherSecret).verify(hit.body, headers)).toThrow('No matching signature');
  expect(() => new Webhook(secret).verify(withOneBitFlipped(hit.body), headers)).toThrow(
    'No matching signature',
  );
  expect(() => new Webhook(secret).verify(hit.body, { ...headers, 'webhook-id': 'another' })).toThrow(
    'No matching signature',
  );
});

test("the trigger's cause and metadata travel inside conf.job_run, after the documented keys", async () => {
  const job = await createWebhookJob(system, project, receiver.url);
  const told = { cause: 'Ingestão concluída ✓', metadata: { 'läufe.id': 'löp-1', rows: 42, full: false } };
  const command_override = `dbt run-operation hello --args '{"name": "Zoë"}'`;
  const { run } = await runAndTell(system, job, { command_override, ...told });

  const { conf } = bodyOf(hitsOf(receiver.hits, run.id)[0]!);
  expect(Object.keys(conf)).toEqual(['event', 'timestamp', 'job', 'job_run', 'project', 'organization']);
  expect(Object.entries(conf.job_run).slice(-4)).toEqual([
    ['command_override', command_override],
    ['error_message', null],
    ['cause', told.cause],
    ['metadata', told.metadata],
  ]);
  expect(conf.job.command).toBe(quickCommand);
});

test('custom headers ride along beside ours', async () => {
  const webhook_headers = {
    Authorization: 'Basic YWlyZmxvdzpzZWNyZXQ=',
    'X-Team': 'data platform',
    'user-agent': 'dctl-of-acme/1',
  };
  const job = await createWebhookJob(system, project, receiver.url, { webhook_headers });
  const { run } = await runAndTell(system, job);

  const hit = hitsOf(receiver.hits, run.id)[0]!;
  for (const [name, value] of Object.entries(webhook_headers))
    expect(headerOf(hit, name.toLowerCase())).toBe(value);
  expect(headerOf(hit, 'x-dagctl-signature')).toMatch(/^sha256=[0-9a-f]{64}$/);
  expect(headerOf(hit, 'content-type')).toBe('application/json');
});

test('a new URL gets a new secret, which the next webhook is signed with', async () => {
  const job = await createWebhookJob(system, project, receiver.url);
  const before = revealSecret(system, job);
  await expectStatus(200, changeJob(system, job, { webhook_events: ['completed'] }));
  expect(revealSecret(system, job)).toBe(before);
  await expectStatus(200, changeJob(system, job, { webhook_url: `${receiver.url}/moved` }));
  const after = revealSecret(system, job);
  expect(after).not.toBe(before);

  const { run } = await runAndTell(system, job);
  const hit = hitsOf(receiver.hits, run.id)[0]!;
  expect(hit.url).toBe('/hook/moved');
  expect(headerOf(hit, 'x-dagctl-signature')).toBe(`sha256=${hmacByOpenssl(hit.body, after)}`);
});

/** As the documentation tells receivers to check it. */
function hmacByOpenssl(body: Buffer, secret: string): string {
  const { stdout } = spawnSync('openssl', ['dgst', '-sha256', '-hmac', secret], {
    input: body,
    encoding: 'utf8',
  });
  return stdout.trim().split(' ').at(-1)!;
}

function standardHeaders(hit: Hit): Record<string, string> {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  return Object.fromEntries(names.map((name) => [name, headerOf(hit, name)]));
}

function withOneBitFlipped(body: Buffer): Buffer {
  const flipped = Buffer.from(body);
  flipped.writeUInt8(flipped.readUInt8(40) ^ 1, 40);
  return flipped;
}
