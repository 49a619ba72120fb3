import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openContext } from '../../src/open-context.ts';
import { fireSchedule } from '../../src/runs/fire-schedule.ts';
import { createJob, deployProject, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { makeDue, runsOf, yearly } from '../support/schedules.ts';
import { startSystem, type System } from '../support/system.ts';
import { changeJob, createWebhookJob, deliveriesOf, type JobKey } from '../support/webhooks.ts';

/** No worker is up: every run waits in the queue. */
let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
});
afterAll(() => system.stop());

test('a new run takes the place of those that wait with the same command, and their webhooks say so', async () => {
  const job = await createWebhookJob(system, project, 'http://127.0.0.1:9/hook');
  const first = await trigger(system, job);
  await changeJob(system, job, { replace_queued: true });
  const second = await trigger(system, job);
  const third = await trigger(system, job);

  expect(await runsOf(system, job)).toMatchObject([
    { id: third, status: 'queued', replaced_by: null },
    { id: second, status: 'error', status_reason: 'replaced', replaced_by: third },
    { id: first, status: 'error', status_reason: 'replaced', replaced_by: second, start_time: null },
  ]);
  const told = await deliveriesOf(system, job);
  expect(told.map(({ run_id, event }) => [run_id, event])).toEqual([
    [second, 'job.failed'],
    [first, 'job.failed'],
  ]);
});

test('runs wait side by side unless the job says otherwise', async () => {
  const job = await newJob({});
  await trigger(system, job);
  await trigger(system, job);
  expect(await statusesOf(job)).toEqual(['queued', 'queued']);
});

test('a run with another command, with a key, at work, or that is a retry keeps its place', async () => {
  const job = await newJob({ replace_queued: true });
  const kept = [
    await trigger(system, job, { command_override: 'dbt compile' }),
    await trigger(system, job, {}, { 'Idempotency-Key': randomUUID() }),
  ];
  const atWork = await trigger(system, job);
  await system.pool.query(`UPDATE runs SET status = 'running', lease_token = 'w' WHERE id = $1`, [atWork]);
  const retry = await trigger(system, job);
  await system.pool.query('UPDATE runs SET retry_of = $2 WHERE id = $1', [retry, atWork]);
  kept.push(atWork, retry);

  const plain = await trigger(system, job);
  const withKey = await trigger(system, job, {}, { 'Idempotency-Key': randomUUID() });
  const runs = await runsOf(system, job);
  for (const id of [...kept, plain, withKey])
    expect(runs.find((run) => run.id === id).replaced_by).toBeNull();

  const override = { command_override: 'dbt compile' };
  const newer = await trigger(system, job, override);
  const after = await runsOf(system, job);
  expect(after.find((run) => run.id === kept[0]).replaced_by).toBe(newer);
  expect(after.find((run) => run.id === plain).status).toBe('queued');
});

test('of many triggered at once, one is left to wait', async () => {
  const job = await newJob({ replace_queued: true });
  await Promise.all(Array.from({ length: 20 }, () => trigger(system, job)));
  const statuses = await statusesOf(job);
  expect(statuses).toHaveLength(20);
  expect(statuses.filter((status) => status === 'queued')).toHaveLength(1);
});

test('so do the runs of a schedule, and those that begin after another job; a replaced run starts nobody', async () => {
  const load = await newJob({ replace_queued: true, schedule: yearly });
  const follower = await newJob({
    replace_queued: true,
    run_after: [{ job_id: load.jobId, statuses: ['success', 'failed', 'error'] }],
  });
  const replaced = await trigger(system, load);
  await makeDue(system, load);
  const context = openContext(readConfig(system.environment), createLog('setup', 'error'));
  await fireSchedule(context, load.jobId);
  await context.close();
  const [scheduled, older] = await runsOf(system, load);
  expect(scheduled).toMatchObject({ triggered_by: 'schedule', status: 'queued' });
  expect(older).toMatchObject({ id: replaced, replaced_by: scheduled.id });
  expect(await runsOf(system, follower)).toEqual([]);

  await cancel(scheduled.id);
  await cancel(await trigger(system, load));
  const [newest, before] = await runsOf(system, follower);
  expect(newest).toMatchObject({ status: 'queued', triggered_by: 'event' });
  expect(before).toMatchObject({ status_reason: 'replaced', replaced_by: newest.id });
});

async function newJob(fields: Record<string, unknown>): Promise<JobKey> {
  return { projectId: project.projectId, jobId: await createJob(system, project.projectId, fields) };
}

const statusesOf = async (job: JobKey) => (await runsOf(system, job)).map(({ status }) => status);
const cancel = (runId: string) => expectStatus(200, system.call('POST', `/api/v1/runs/${runId}/cancel`));
