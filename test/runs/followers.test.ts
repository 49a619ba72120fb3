import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openContext } from '../../src/open-context.ts';
import { finishRun } from '../../src/runs/finish.ts';
import type { Outcome } from '../../src/runs/status.ts';
import { createJob, deployProject, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { getJob, runsOf } from '../support/schedules.ts';
import { startSystem, type System } from '../support/system.ts';
import { changeJob, type JobKey } from '../support/webhooks.ts';

/** No worker is up: a run ends where the test says so. */
let system: System;
let project: DeployedProject;
let context: ReturnType<typeof openContext>;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
  context = openContext(readConfig(system.environment), createLog('setup', 'error'));
});
afterAll(async () => {
  await context.close();
  await system.stop();
});

const success: Outcome = { kind: 'exited', exitCode: 0, error: null };

test('a job runs once after each run of another that has ended with one of its statuses', async () => {
  const load = await newJob({ name: 'load' });
  const onSuccess = await newJob({ run_after: [{ job_id: load.jobId }] });
  const onError = await newJob({ run_after: [{ job_id: load.jobId, statuses: ['error', 'failed'] }] });

  const loaded = await endedWith(load, success);
  expect(await runsOf(system, onSuccess)).toMatchObject([
    {
      status: 'queued',
      triggered_by: 'event',
      requested_by: 'load',
      after_run: loaded,
      cause: 'Job "load" ended with success.',
    },
  ]);
  expect(await runsOf(system, onError)).toEqual([]);

  const lost = await endedWith(load, { kind: 'container_lost' });
  expect(await runsOf(system, onError)).toMatchObject([{ after_run: lost }]);
  expect(await runsOf(system, onSuccess)).toHaveLength(1);
});

test('a run that is cancelled counts as an error, and jobs run after one another, of other projects too', async () => {
  const elsewhere = await deployProject(system);
  const first = await newJob({ name: 'first' });
  const second = await newJob({ run_after: [{ job_id: first.jobId, statuses: ['error'] }] });
  const jobId = await createJob(system, elsewhere.projectId, {
    run_after: [{ job_id: second.jobId, statuses: ['error'] }],
  });
  const third = { projectId: elsewhere.projectId, jobId };

  const runId = await trigger(system, first);
  await Promise.all(Array.from({ length: 10 }, () => cancel(runId)));
  const following = await runsOf(system, second);
  expect(following).toMatchObject([{ after_run: runId, cause: 'Job "first" ended with error.' }]);
  await cancel(following[0].id);
  expect(await runsOf(system, third)).toMatchObject([
    { after_run: following[0].id, project_id: elsewhere.projectId },
  ]);
});

test('a run ends though a job that runs after it cannot', async () => {
  const { body: empty } = await expectStatus(
    201,
    system.call('POST', '/api/v1/projects', {
      name: `empty-${Math.random().toString(36).slice(2)}`,
      type: 'dbt',
    }),
  );
  const load = await newJob({});
  const run_after = [{ job_id: load.jobId, statuses: ['error'] }];
  const off = await newJob({ run_after, enabled: false });
  const deleted = await newJob({ run_after });
  await expectStatus(204, system.call('DELETE', pathOf(deleted)));
  const withoutCode = { projectId: empty.id, jobId: await createJob(system, empty.id, { run_after }) };
  const refused = await newJob({ run_after });
  // As one that was accepted by an earlier release.
  await system.pool.query(`UPDATE jobs SET commands = '{dbt init}' WHERE id = $1`, [refused.jobId]);
  const broken = await newJob({ run_after });
  await system.pool.query(`ALTER TABLE runs ADD CHECK (job_id <> '${broken.jobId}')`);
  const fine = await newJob({ run_after });

  const runId = await trigger(system, load);
  expect((await cancel(runId)).body.status).toBe('error');
  for (const job of [off, deleted, withoutCode, refused, broken])
    expect(await runsOf(system, job)).toEqual([]);
  expect(await runsOf(system, fine)).toHaveLength(1);
});

test('nobody runs after a job any more that was taken off the list, or was deleted', async () => {
  const load = await newJob({});
  const follower = await newJob({ run_after: [{ job_id: load.jobId, statuses: ['success', 'error'] }] });
  const { body: changed } = await changeJob(system, follower, { run_after: [] });
  expect(changed.run_after).toEqual([]);
  await endedWith(load, success);
  expect(await runsOf(system, follower)).toEqual([]);

  await changeJob(system, follower, { run_after: [{ job_id: load.jobId }] });
  await expectStatus(204, system.call('DELETE', pathOf(load)));
  expect((await getJob(system, follower)).run_after).toEqual([]);
});

async function newJob(fields: Record<string, unknown>): Promise<JobKey> {
  return { projectId: project.projectId, jobId: await createJob(system, project.projectId, fields) };
}

/** A run of the job that a worker has had and brought to this end. */
async function endedWith(job: JobKey, outcome: Outcome): Promise<string> {
  const runId = await trigger(system, job);
  await system.pool.query(
    `UPDATE runs SET status = 'running', started_at = now(), lease_token = 'of a worker',
       lease_expires_at = now() + interval '1 hour' WHERE id = $1`,
    [runId],
  );
  const now = { endedAt: performance.now(), signal: AbortSignal.timeout(10_000) };
  expect(await finishRun(context, { runId, token: 'of a worker' }, outcome, now)).toBe(true);
  return runId;
}

const cancel = (runId: string) => expectStatus(200, system.call('POST', `/api/v1/runs/${runId}/cancel`));
const pathOf = ({ projectId, jobId }: JobKey) => `/api/v1/projects/${projectId}/jobs/${jobId}`;
