import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Hit, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { changeJob, createWebhookJob, headerOf, revealSecret, type JobKey } from '../support/webhooks.ts';

let system: System;
let project: DeployedProject;
let receiver: Receiver;

beforeAll(async () => {
  [system, receiver] = await Promise.all([startSystem(), startReceiver((response) => response.end())]);
  project = await deployProject(system);
});
afterAll(async () => {
  await receiver.close();
  await system.stop();
});

const pathOf = ({ projectId, jobId }: JobKey) => `/api/v1/projects/${projectId}/jobs/${jobId}`;

async function rotate(job: JobKey, body?: unknown) {
  const path = `${pathOf(job)}/webhook/rotate-secret`;
  return (await expectStatus(200, system.call('POST', path, body))).body;
}

/** What the receiver gets of a test that is sent now. */
async function sentNow(job: JobKey): Promise<Hit> {
  const { body } = await expectStatus(202, system.call('POST', `${pathOf(job)}/webhook/test`));
  return until(
    'the test has come',
    async () => receiver.hits.find((hit) => headerOf(hit, 'webhook-id') === body.id),
    (hit) => hit !== undefined,
  ) as Promise<Hit>;
}

const plain = (secret: string, { body }: Hit) =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

function isSignedWith(secret: string, hit: Hit): boolean {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  const headers = Object.fromEntries(names.map((name) => [name, headerOf(hit, name)]));
  try {
    new Webhook(secret).verify(hit.body, headers);
    return true;
  } catch {
    return false;
  }
}

test('a new secret signs from now on, and the old one as well until the overlap is over', async () => {
  const job = await createWebhookJob(system, project, receiver.url);
  const old = revealSecret(system, job);
  const before = await sentNow(job);
  expect(headerOf(before, 'x-dagctl-signature')).toBe(plain(old, before));
  expect(before.rawHeaders.join()).not.toMatch(/previous/i);

  const rotated = await rotate(job);
  const secret: string = rotated.webhook_secret;
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(secret).not.toBe(old);
  const hours = (Date.parse(rotated.previous_until) - Date.now()) / 3_600_000;
  expect(hours).toBeGreaterThan(23.9);
  expect(hours).toBeLessThanOrEqual(24);
  expect((await system.call('GET', pathOf(job))).body.webhook_previous_secret_until).toBe(
    rotated.previous_until,
  );

  const meanwhile = await sentNow(job);
  expect(headerOf(meanwhile, 'x-dagctl-signature')).toBe(plain(secret, meanwhile));
  expect(headerOf(meanwhile, 'x-dagctl-signature-previous')).toBe(plain(old, meanwhile));
  expect([secret, old].map((each) => isSignedWith(each, meanwhile))).toEqual([true, true]);
  expect((await expectStatus(200, system.call('POST', `${pathOf(job)}/webhook/reveal-secret`))).body).toEqual(
    rotated,
  );

  await system.pool.query('UPDATE jobs SET webhook_old_secret_until = now() WHERE id = $1', [job.jobId]);
  const after = await sentNow(job);
  expect([secret, old].map((each) => isSignedWith(each, after))).toEqual([true, false]);
  expect(after.rawHeaders.join()).not.toMatch(/previous/i);
  expect((await system.call('GET', pathOf(job))).body.webhook_previous_secret_until).toBeNull();
});

test('an overlap of no time ends the old secret at once', async () => {
  const job = await createWebhookJob(system, project, receiver.url);
  const old = revealSecret(system, job);
  const { webhook_secret: secret, previous_until: until } = await rotate(job, { overlap_hours: 0 });
  expect(until).toBeNull();
  const hit = await sentNow(job);
  expect([secret, old].map((each) => isSignedWith(each, hit))).toEqual([true, false]);
  for (const hours of [-1, 169, '1'])
    expect(
      (await system.call('POST', `${pathOf(job)}/webhook/rotate-secret`, { overlap_hours: hours })).status,
    ).toBe(400);
});

test('another URL ends both secrets', async () => {
  const job = await createWebhookJob(system, project, receiver.url);
  const old = revealSecret(system, job);
  const { webhook_secret: second } = await rotate(job);
  const changed = await expectStatus(200, changeJob(system, job, { webhook_url: `${receiver.url}/else` }));
  expect(changed.body.webhook_previous_secret_until).toBeNull();
  const hit = await sentNow(job);
  expect([old, second].map((each) => isSignedWith(each, hit))).toEqual([false, false]);
  expect(isSignedWith(revealSecret(system, job), hit)).toBe(true);
});

test('neither secret is in the audit log, nor in the database in clear', async () => {
  const job = await createWebhookJob(system, project, receiver.url);
  const { webhook_secret: secret } = await rotate(job);
  const { rows } = await system.pool.query(
    `SELECT row_to_json(jobs)::text AS row FROM jobs WHERE id = $1
     UNION ALL SELECT row_to_json(audit_events)::text FROM audit_events WHERE subject_id = $1`,
    [job.jobId],
  );
  const text = rows.map(({ row }) => row).join('\n');
  expect(text).toContain('webhook.secret_rotated');
  expect(text).not.toContain(secret.slice(6));
  expect(text).not.toContain('whsec_');
});
