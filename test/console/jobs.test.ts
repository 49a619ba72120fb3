import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import {
  createJob,
  deployProject,
  ended,
  expectStatus,
  trigger,
  type DeployedProject,
} from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { addPerson, type Person } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { createWebhookJob, headerOf, quickCommand } from '../support/webhooks.ts';
import {
  dark,
  movesSideways,
  narrow,
  openConsole,
  seriousIssues,
  startChromium,
  type OpenPage,
} from './browser.ts';

let system: System;
let browser: Browser;
let project: DeployedProject;
let receiver: Receiver;
let admin: Person;
let opened: OpenPage;

beforeAll(async () => {
  [system, browser] = await Promise.all([startSystem(), startChromium()]);
  receiver = await startReceiver((response) => response.end('thank you'));
  [project, admin] = await Promise.all([
    deployProject(system, { name: 'jaffle shop' }),
    addPerson(system, 'admin'),
  ]);
  opened = await openConsole(browser, system, admin);
});
afterAll(async () => {
  await Promise.all([browser?.close(), receiver?.close()]);
  await system?.stop();
});

const jobOf = async (jobId: string) =>
  (await system.call('GET', `/api/v1/projects/${project.projectId}/jobs/${jobId}`)).body;
const pageOf = (jobId: string) => `/jobs/${project.projectId}/${jobId}`;
const hmac = (secret: string, body: Buffer) =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

test("a command is judged as it is typed, in the validator's own words", async () => {
  const jobId = await createJob(system, project.projectId, { command: 'dbt build' });
  const { page, go } = opened;
  await go(`${pageOf(jobId)}/settings`);
  const command = page.getByLabel('Command', { exact: true });
  await page.getByText('✓ valid').waitFor();
  await command.fill('dbt build; rm -rf /');
  const said = await system.call('POST', '/api/v1/commands/check', { command: 'dbt build; rm -rf /' });
  await page.getByText(said.body.detail).waitFor();
  expect(await page.locator('mark').textContent()).toBe(';');

  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('input:focus[aria-invalid="true"]').waitFor();
  // Once, at its field.
  expect(await page.getByText(said.body.detail).count()).toBe(1);
  await command.fill('dbt run --select orders');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved.').waitFor();
  expect((await jobOf(jobId)).commands).toEqual(['dbt run --select orders']);
});

test('a schedule is saved with the next times that were shown, and a refusal is beside its field', async () => {
  const jobId = await createJob(system, project.projectId, { command: 'dbt build' });
  const { page, go } = opened;
  await go(`${pageOf(jobId)}/settings`);
  await page.getByLabel('Run on a schedule').check();
  const cron = page.getByLabel('Cron expression');
  await cron.fill('61 * * * *');
  await page.locator('.field-problem').waitFor();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('input:focus[aria-invalid="true"]').waitFor();
  expect(await page.locator('.field-problem').count()).toBe(1);
  expect(await page.getByRole('alert').count()).toBe(0);
  await cron.fill('30 5 1 1 *');
  await page.getByLabel('Time zone').fill('Europe/Berlin');
  const next = page.locator('.next-times time');
  await until(
    'the next time is a new year',
    () => next.first().textContent(),
    (text) => /Jan 1/.test(text ?? ''),
  );
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved.').waitFor();
  const { schedule } = await jobOf(jobId);
  expect(schedule).toMatchObject({ cron: '30 5 1 1 *', timezone: 'Europe/Berlin' });
  expect(schedule.next_run_at).toMatch(/-01-01T04:30:00/);
  await opened.screenshot('job-settings');
});

test('a job is run with a command and a cause of its own, and its trends come', async () => {
  const jobId = await createJob(system, project.projectId, { command: quickCommand, name: 'nightly' });
  const { page, go } = opened;
  await go('/jobs');
  await page.getByRole('button', { name: 'Run nightly' }).click();
  await page.getByRole('dialog').getByLabel('Command').fill('dbt seed --select raw_customers');
  await page.getByLabel('Cause').fill('customers were loaded <b>again</b>');
  await page.getByRole('dialog').getByRole('button', { name: 'Run' }).click();
  await page.waitForURL(/\/console\/runs\//);
  const runId = page.url().split('/').at(-1)!.split('?')[0]!;
  const run = await ended(system, runId);
  expect(run).toMatchObject({
    status: 'success',
    command_override: 'dbt seed --select raw_customers',
    cause: 'customers were loaded <b>again</b>',
  });
  await expectStatus(
    200,
    system.call('PATCH', `/api/v1/projects/${project.projectId}/jobs/${jobId}`, { generate_docs: true }),
  );
  await ended(system, await trigger(system, { ...project, jobId }));

  await go(pageOf(jobId));
  await page.getByText('Trends: last 2 runs').waitFor();
  await page.getByText('customers were loaded <b>again</b>').waitFor();
  await page.getByText('seed.jaffle_shop.raw_customers').waitFor();
  expect(await page.locator('.trend a').count()).toBe(2);
  await opened.screenshot('job');

  // What dbt wrote of the project is there for whoever is signed in.
  await go(`/projects/${project.projectId}`);
  const docs = await page.getByRole('link', { name: 'dbt docs' }).getAttribute('href');
  const answer = await page.request.get(new URL(docs!, system.url).href);
  expect(answer.status()).toBe(200);
  expect(await answer.text()).toContain('<title>dbt Docs</title>');
});

describe("a job's webhook", () => {
  test('is set, tested, revealed and rotated, and signed with both secrets meanwhile', async () => {
    const jobId = await createJob(system, project.projectId, { command: quickCommand, name: 'told' });
    const { page, go } = opened;
    await go(`${pageOf(jobId)}/webhook`);
    await page.getByLabel('URL').fill(receiver.url);
    await page.getByRole('button', { name: 'Add header' }).click();
    await page.getByLabel('Name of header 1').fill('Authorization');
    await page.getByLabel('Value of Authorization').fill('Basic c2VjcmV0');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved.').waitFor();
    expect(await jobOf(jobId)).toMatchObject({
      webhook_enabled: true,
      webhook_url: receiver.url,
      webhook_headers: { Authorization: '***' },
    });

    await page.getByRole('button', { name: 'Send test' }).click();
    const delivery = page.locator('details.delivery').first();
    await delivery.getByText('delivered', { exact: true }).waitFor();
    await delivery.locator('summary').click();
    expect(await delivery.getByLabel('Response to attempt 1').textContent()).toBe('thank you');
    expect(await delivery.getByLabel('Request body').textContent()).toContain('"event": "job.completed"');
    const [first] = receiver.hits;
    expect(headerOf(first!, 'authorization')).toBe('Basic c2VjcmV0');

    await page.getByRole('button', { name: 'Reveal: signing secret' }).click();
    const secret = page.getByLabel('Signing secret', { exact: true });
    const old = await secret.inputValue();
    expect(headerOf(first!, 'x-dagctl-signature')).toBe(hmac(old, first!.body));
    await opened.screenshot('job-webhook');

    await page.getByRole('button', { name: 'Rotate: signing secret' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
    await until(
      'there is a new secret',
      () => secret.inputValue(),
      (shown) => shown !== old,
    );
    await page.getByText('Also signed with the old secret until').waitFor();
    const now = await secret.inputValue();
    await page.getByRole('button', { name: 'Send test' }).click();
    await until(
      'the second test has come',
      async () => receiver.hits.length,
      (count) => count === 2,
    );
    const [, second] = receiver.hits;
    expect(headerOf(second!, 'x-dagctl-signature')).toBe(hmac(now, second!.body));
    expect(headerOf(second!, 'x-dagctl-signature-previous')).toBe(hmac(old, second!.body));
  });

  test('that was refused is sent again', async () => {
    const failing = await startReceiver((response) => {
      response.statusCode = 418;
      response.end('<b>no</b>');
    });
    const job = await createWebhookJob(system, project, failing.url, { name: 'refused' });
    await ended(system, await trigger(system, job));
    const { page, go } = opened;
    await go(`${pageOf(job.jobId)}/webhook`);
    const entries = page.locator('details.delivery');
    await entries.first().getByText('failed', { exact: true }).waitFor();
    await entries.first().locator('summary').click();
    expect(await entries.first().getByLabel('Response to attempt 1').textContent()).toBe('<b>no</b>');
    await entries
      .first()
      .getByRole('button', { name: /Send again/ })
      .click();
    await page.getByText('sent again', { exact: true }).waitFor();
    await until(
      'it came again',
      async () => failing.hits.length,
      (count) => count === 2,
    );
    await failing.close();

    const path = `/api/v1/projects/${project.projectId}/jobs/${job.jobId}`;
    await expectStatus(200, system.call('PATCH', path, { webhook_enabled: false }));
    await go(`${pageOf(job.jobId)}/webhook`);
    await entries.first().locator('summary').click();
    await entries.first().getByText('Cannot be sent again: the webhook is disabled.').waitFor();
    expect(await page.getByRole('button', { name: /Send again/ }).count()).toBe(0);
  });
});

test('a viewer sees no button that would be refused', async () => {
  const jobId = await createJob(system, project.projectId, {
    command: quickCommand,
    webhook_url: receiver.url,
    webhook_enabled: true,
  });
  const viewer = await openConsole(browser, system, await addPerson(system, 'viewer'));
  for (const path of ['/jobs', pageOf(jobId), `${pageOf(jobId)}/settings`, `${pageOf(jobId)}/webhook`]) {
    await viewer.go(path);
    expect(
      await viewer.page.getByRole('button', { name: /Run|New|Save|Delete|Reveal|Rotate|test/ }).count(),
    ).toBe(0);
  }
  expect(await viewer.page.getByLabel('URL').isEnabled()).toBe(false);
  expect(viewer.complaints).toEqual([]);
  await viewer.close();
});

test.each([
  ['in the light', 'light', {}],
  ['in the dark on a phone', 'phone', { ...dark, ...narrow }],
])('all pages of jobs are fit for everybody %s', async (_name, name, options) => {
  const { jobId } = project;
  const window = await openConsole(browser, system, admin, options);
  const { page, go } = window;
  const paths = {
    jobs: '/jobs',
    job: pageOf(jobId),
    'job-settings': `${pageOf(jobId)}/settings`,
    'job-webhook': `${pageOf(jobId)}/webhook`,
  };
  for (const [called, path] of Object.entries(paths)) {
    await go(path);
    await window.screenshot(`${called}-${name}`);
    expect({ path, issues: await seriousIssues(page) }).toEqual({ path, issues: [] });
    expect({ path, sideways: await movesSideways(page) }).toEqual({ path, sideways: false });
  }
  await go('/jobs');
  await page.getByRole('button', { name: /^Run / }).first().click();
  expect(await seriousIssues(page)).toEqual([]);
  await page.keyboard.press('Escape');
  expect(await page.getByRole('dialog').count()).toBe(0);
  expect(window.complaints).toEqual([]);
  await window.close();
});

test('nothing was complained of in the browser', () => {
  expect(opened.complaints).toEqual([]);
});
