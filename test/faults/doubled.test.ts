import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openDoorbell, type Doorbell } from '../../src/queue.ts';
import { expectInvariants } from '../support/invariants.ts';
import { countMessages } from '../support/messages.ts';
import { asAnotherOrganization } from '../support/organization.ts';
import { createJob, deployProject, ended, trigger, type DeployedProject } from '../support/project.ts';
import { makeStandIn, work } from '../support/stand-in.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { deployProbe } from '../worker/probe.ts';

const runCount = 20;
const jobCount = 3;

let standIn: Awaited<ReturnType<typeof makeStandIn>>;
let system: System;
let project: DeployedProject;
let doorbell: Doorbell;

beforeAll(async () => {
  standIn = await makeStandIn();
  // One run at a time each, so that neither can do all the work.
  const environment = { DCTL_WORKER_CONCURRENCY: '1', DCTL_RUNNER_IMAGE: standIn.image };
  system = await startSystem({ workers: 2, environment });
  doorbell = openDoorbell(readConfig(system.environment), createLog('setup', 'error'));
  const probe = await deployProbe(system);
  project = { ...probe, jobId: await createJob(system, probe.projectId, { command: work(0.1) }) };
});
afterAll(async () => {
  await expectInvariants(system, { withinMs: 60_000 });
  await doorbell.close();
  await system.stop();
  await standIn.remove();
});

const pathOf = ({ projectId, jobId }: { projectId: string; jobId: string }) =>
  `/api/v1/projects/${projectId}/jobs/${jobId}/trigger`;

function triggerWithKey(key: string, body: unknown = {}) {
  return system.call('POST', pathOf(project), body, { 'idempotency-key': key });
}

async function countRuns(cause: string): Promise<number> {
  const sql = 'SELECT count(*)::int AS count FROM runs WHERE cause = $1';
  return (await system.pool.query(sql, [cause])).rows[0].count;
}

// F26
test('fifty triggers at once with one key make one run, and fifty equal answers', async () => {
  const cause = 'fifty';
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => triggerWithKey('fifty-at-once', { cause })),
  );
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(answers[0]!.status).toBe(200);
  expect(await countRuns(cause)).toBe(1);
});

test('a key sent with another body is 422, and no run is made', async () => {
  await triggerWithKey('other-body', { cause: 'first body' });
  const bodies = [
    { cause: 'second body' },
    { cause: 'first body', metadata: { a: 1 } },
    { command_override: 'dbt ls' },
    {},
  ];
  for (const body of bodies) {
    const answer = await triggerWithKey('other-body', body);
    expect(answer).toMatchObject({ status: 422, body: { type: 'urn:dctl:error:key_reused' } });
  }
  const { rows } = await system.pool.query(
    "SELECT 1 FROM runs WHERE cause = 'second body' OR command_override = 'dbt ls'",
  );
  expect(rows).toEqual([]);
});

test('the same key in another organization makes a run of its own', async () => {
  const other = await asAnotherOrganization(system);
  const theirs = await deployProject(other);
  const ourRun = await triggerWithKey('shared');
  const theirRun = await other.call('POST', pathOf(theirs), {}, { 'idempotency-key': 'shared' });
  expect(theirRun.status).toBe(200);
  expect(theirRun.body.job_run_id).not.toBe(ourRun.body.job_run_id);
});

// F27
test('a run that both workers are told of many times, before, during and after, is executed once', async () => {
  const jobId = await createJob(system, project.projectId, { command: work(2) });
  const runId = await trigger(system, { ...project, jobId });
  const ringTenTimes = () => Promise.all(Array.from({ length: 10 }, () => doorbell.ringRun(runId)));
  await ringTenTimes();
  const statusOf = async () => (await system.call('GET', `/api/v1/runs/${runId}`)).body.status;
  await until('it executes', statusOf, (status) => status === 'running');
  await ringTenTimes();
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  await ringTenTimes();
  await until(
    'all messages are heard',
    () => countMessages(system, runId),
    (count) => count === 0,
  );
  expect(containersOf(runId)).toHaveLength(1);
  const { rows } = await system.pool.query('SELECT fence FROM runs WHERE id = $1', [runId]);
  expect(rows).toEqual([{ fence: 1 }]);
});

test('two workers share 20 runs of 3 jobs: each is executed once, a job never twice at once, the oldest first', async () => {
  const command = work(0.1);
  const jobIds = await Promise.all(
    Array.from({ length: jobCount }, () => createJob(system, project.projectId, { command })),
  );
  const triggered: { runId: string; jobId: string }[] = [];
  for (let number = 0; number < runCount; number += 1) {
    const jobId = jobIds[number % jobCount]!;
    triggered.push({ jobId, runId: await trigger(system, { ...project, jobId }) });
  }

  for (const { runId } of triggered) {
    expect(await ended(system, runId, 90_000)).toMatchObject({ status: 'success' });
    expect(containersOf(runId)).toHaveLength(1);
  }

  const sql = 'SELECT * FROM runs WHERE job_id = ANY($1) ORDER BY started_at';
  const { rows } = await system.pool.query<Row>(sql, [jobIds]);
  expect(rows.map(({ fence }) => fence)).toEqual(Array(runCount).fill(1));
  expect(new Set(rows.map(({ worker_name }) => worker_name)).size).toBe(2);
  for (const jobId of jobIds) {
    const runs = rows.filter((row) => row.job_id === jobId);
    expect(runs.map(({ id }) => id)).toEqual(
      triggered.filter((each) => each.jobId === jobId).map(({ runId }) => runId),
    );
    for (const [index, { started_at }] of runs.entries()) {
      const before = runs[index - 1];
      if (before !== undefined)
        expect(started_at.getTime()).toBeGreaterThanOrEqual(before.finished_at.getTime());
    }
  }
});

/** The ids of all that were ever made for the run. */
function containersOf(runId: string): string[] {
  const made = system.containers.events.filter((each) => each.action === 'create' && each.runId === runId);
  return made.map(({ containerId }) => containerId);
}

interface Row {
  id: string;
  job_id: string;
  fence: number;
  worker_name: string;
  started_at: Date;
  finished_at: Date;
}
