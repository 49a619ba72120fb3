import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deployProject, ended, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import {
  bodyOf,
  changeJob,
  createWebhookJob,
  deliveriesOf,
  headerOf,
  hitsOf,
  runAndTell,
} from '../support/webhooks.ts';

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

const broken = `dbt parse --vars '{"break_compilation": true}'`;

test.each([
  ['success', 'job.completed', 'dbt parse', {}],
  ['partial', 'job.partial', `dbt build --vars '{"fail_test": true}'`, {}],
  ['failed', 'job.failed', broken, {}],
  ['error', 'job.failed', `dbt run-operation hello`, { timeout_seconds: 1 }],
])('a run that ends %s is told as %s', async (status, event, command, fields) => {
  const job = await createWebhookJob(system, project, receiver.url, { command, ...fields });
  const { run, delivery } = await runAndTell(system, job);

  expect(run.status).toBe(status);
  expect(delivery.event).toBe(event);
  const hits = hitsOf(receiver.hits, run.id);
  expect(hits).toHaveLength(1);
  expect(headerOf(hits[0]!, 'x-dagctl-event')).toBe(event);
  const { conf } = bodyOf(hits[0]!);
  expect(conf.event).toBe(event);
  expect(conf.job_run).toMatchObject({ status, error_message: run.error_message });
});

test('only the chosen events are told', async () => {
  const failures = { webhook_events: ['failed', 'partial'] };
  const [job, other] = await Promise.all([
    createWebhookJob(system, project, receiver.url, { ...failures, max_parallel_runs: 2 }),
    createWebhookJob(system, project, receiver.url, { webhook_events: ['completed'] }),
  ]);
  const [completed, failed, otherFailed] = await Promise.all([
    trigger(system, job),
    trigger(system, job, { command_override: broken }),
    trigger(system, other, { command_override: broken }),
  ]);
  const ends = await Promise.all([completed, failed, otherFailed].map((id) => ended(system, id)));
  expect(ends.map(({ status }) => status)).toEqual(['success', 'failed', 'failed']);

  // A delivery is recorded with the run's end or never.
  expect(await deliveriesOf(system, job)).toMatchObject([{ run_id: failed }]);
  expect(await deliveriesOf(system, other)).toEqual([]);
});

test('a disabled webhook sends nothing, and sends again once it is enabled', async () => {
  const job = await createWebhookJob(system, project, receiver.url, { webhook_enabled: false });
  const silent = await ended(system, await trigger(system, job));
  expect(await deliveriesOf(system, job)).toEqual([]);

  await expectStatus(200, changeJob(system, job, { webhook_enabled: true }));
  const { run: told } = await runAndTell(system, job);
  expect(hitsOf(receiver.hits, told.id)).toHaveLength(1);
  expect(hitsOf(receiver.hits, silent.id)).toEqual([]);
  expect(await deliveriesOf(system, job)).toMatchObject([{ run_id: told.id, state: 'delivered' }]);
});

test('a job without a URL cannot have its webhook enabled', async () => {
  const job = await createWebhookJob(system, project, receiver.url);
  const refused = await changeJob(system, job, { webhook_url: null });
  expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: '/webhook_url' }] } });
  await expectStatus(200, changeJob(system, job, { webhook_url: null, webhook_enabled: false }));
});

test('the webhook goes where the job says when the run ends, not where it said at the trigger', async () => {
  const job = await createWebhookJob(system, project, receiver.url);
  const runId = await trigger(system, job);
  await expectStatus(200, changeJob(system, job, { webhook_url: `${receiver.url}/moved` }));
  await ended(system, runId);
  expect((await deliveriesOf(system, job))[0].url).toBe(`${receiver.url}/moved`);
});
