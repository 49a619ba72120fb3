import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import {
  createJob,
  deployProject,
  ended,
  expectStatus,
  trigger,
  type DeployedProject,
} from '../support/project.ts';
import { startReceiver, type Hit, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import {
  bodyOf,
  changeJob,
  createWebhookJob,
  deliveriesOf,
  deliveryEnded,
  headerOf,
  hitsOf,
  quickCommand,
  revealSecret,
  runAndTell,
  type JobKey,
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

test('both signatures verify over the exact bytes, and neither over other ones', async () => {
  const job = await createWebhookJob(system, project, receiver.url, { name: 'Prüfung №1' });
  const { run } = await runAndTell(system, job, { cause: 'Läufe «新しい»', metadata: { señal: 'añil 🚦' } });
  const hit = hitsOf(receiver.hits, run.id)[0]!;
  const secret = revealSecret(system, job);

  expect(headerOf(hit, 'x-dagctl-signature')).toBe(`sha256=${hmacByOpenssl(hit.body, secret)}`);
  const headers = standardHeaders(hit);
  const webhook = new Webhook(secret);
  expect(webhook.verify(hit.body, headers)).toEqual(bodyOf(hit));

  const forged = Buffer.from(hit.body);
  forged[forged.length - 10]! ^= 1;
  expect(hmacByOpenssl(forged, secret)).not.toBe(hmacByOpenssl(hit.body, secret));
  expect(() => webhook.verify(forged, headers)).toThrow();
  expect(() => new Webhook(revealSecret(system, await1(otherJob))).verify(hit.body, headers)).toThrow();
});
