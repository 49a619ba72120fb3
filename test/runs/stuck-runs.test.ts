import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createJob, ended, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { createWebhookJob, deliveriesOf, deployProjectWithoutImage } from '../support/webhooks.ts';

/** Runs that a worker left without an end, and one worker, with another secret key, that finds them. */
let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProjectWithoutImage(system);
  await system.startWorker({ DCTL_SECRET_KEY: Buffer.alloc(32, 'another').toString('base64') });
});
afterAll(() => system.stop());

test('a run that 50 claims did not bring to an end is given up, whatever its nodes are', async () => {
  const runId = await claimedRun();
  await system.docker.createContainer({
    name: `dctl-run-${runId}`,
    Image: system.environment['DCTL_RUNNER_IMAGE']!,
    Labels: { 'dctl.run_id': runId },
  });
  await system.pool.query(
    `INSERT INTO node_results (run_id, unique_id, resource_type, status) VALUES ($1, 'model.a', 'model', 'started')`,
    [runId],
  );
  await leaveBehind(runId, { fence: 50 });

  expect(await ended(system, runId)).toMatchObject({
    status: 'error',
    status_reason: 'gave_up',
    error_message: expect.stringContaining('50 times'),
  });
  const { body } = await system.call('GET', `/api/v1/runs/${runId}/nodes`);
  expect(body.data).toMatchObject([{ unique_id: 'model.a', status: 'started' }]);
  const filters = { label: [`dctl.run_id=${runId}`] };
  await until(
    'its container is gone',
    () => system.docker.listContainers({ all: true, filters }),
    (containers) => containers.length === 0,
  );
});

test('a run that 49 claims did not bring to an end is tried again', async () => {
  const runId = await claimedRun();
  await leaveBehind(runId, { fence: 49 });
  expect(await ended(system, runId)).toMatchObject({ status: 'error', status_reason: 'image_not_found' });
});

test('a run that ends weeks after it began has its whole duration', async () => {
  const runId = await claimedRun();
  await leaveBehind(runId, { daysAgo: 40 });
  const { duration_seconds: seconds } = await ended(system, runId);
  expect(seconds).toBeGreaterThanOrEqual(40 * 86_400);
  expect(seconds).toBeLessThan(41 * 86_400);
});

test("a run ends though its job's webhook cannot be opened, and the worker says that none is sent", async () => {
  const job = await createWebhookJob(system, project, 'http://127.0.0.1:9/hook');
  const run = await ended(system, await trigger(system, job));
  expect(run).toMatchObject({ status: 'error', status_reason: 'image_not_found' });
  expect(await deliveriesOf(system, job)).toEqual([]);
  expect(complaintsOf(job.jobId)).toMatchObject([
    { level: 'error', msg: expect.stringContaining('DCTL_SECRET_KEY') },
  ]);
});

test('a webhook that is switched off is not opened', async () => {
  const job = await createWebhookJob(system, project, 'http://127.0.0.1:9/hook', { webhook_enabled: false });
  expect(await ended(system, await trigger(system, job))).toMatchObject({ status: 'error' });
  expect(complaintsOf(job.jobId)).toEqual([]);
});

const complaintsOf = (jobId: string) => system.workers[0]!.lines.filter((line) => line['job'] === jobId);

/** A run that a worker has claimed, and not ended yet. */
async function claimedRun(): Promise<string> {
  const jobId = await createJob(system, project.projectId, {});
  const runId = await trigger(system, { ...project, jobId });
  await ended(system, runId);
  await system.pool.query(
    `UPDATE runs SET status = 'running', finished_at = NULL, lease_token = 'of a worker',
       lease_expires_at = now() + interval '1 hour' WHERE id = $1`,
    [runId],
  );
  return runId;
}

/** The run as a worker leaves it that has lost its lease. */
async function leaveBehind(runId: string, { fence = 1, daysAgo = 0 }): Promise<void> {
  await system.pool.query(
    `UPDATE runs SET fence = $2, started_at = now() - make_interval(days => $3), lease_expires_at = now()
     WHERE id = $1`,
    [runId, fence, daysAgo],
  );
}
