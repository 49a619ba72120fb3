import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asDbtCloud, type DbtCloud } from '../support/dbt-cloud.ts';
import { createJob, deployProject, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let ours: DeployedProject;
let cloud: DbtCloud;
let other: DbtCloud;
let otherJob: number;

/** Runs of an hour each from noon on, oldest first; each lasts 30 minutes. */
const recorded = [
  { of: 'ours', status: 'success' },
  { of: 'ours', status: 'failed' },
  { of: 'other', status: 'error', reason: 'timed_out' },
  { of: 'otherJob', status: 'error', reason: 'cancelled' },
  { of: 'ours', status: 'running' },
  { of: 'otherJob', status: 'running', hasBegun: true },
  { of: 'ours', status: 'queued' },
] as const;
const numbers: number[] = [];

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  const others = await deployProject(system);
  ours = await deployProject(system);
  const jobId = await createJob(system, others.projectId, {});
  [cloud, other] = await Promise.all([asDbtCloud(system, ours), asDbtCloud(system, others)]);
  otherJob = (await asDbtCloud(system, { ...others, jobId })).job;
  const jobs = { ours, other: others, otherJob: { ...others, jobId } };
  for (const [hour, run] of recorded.entries()) {
    const runId = await trigger(system, jobs[run.of]);
    await system.pool.query(
      `UPDATE runs SET created_at = at, status = $3, status_reason = $4,
         lease_token = CASE WHEN $3 = 'running' THEN 'a test' END,
         finished_at = CASE WHEN $3 IN ('success', 'failed', 'error') THEN at + interval '30 min' END
       FROM (SELECT '2026-04-02T12:00:00Z'::timestamptz + make_interval(hours => $2) AS at) AS times WHERE id = $1`,
      [runId, hour, run.status, 'reason' in run ? run.reason : null],
    );
    if ('hasBegun' in run)
      await system.pool.query(
        `INSERT INTO run_steps (run_id, number, status, started_at) VALUES ($1, 1, 'running', now())`,
        [runId],
      );
    numbers.push(await cloud.numberOf(runId));
  }
});
afterAll(() => system.stop());

const list = async (query: string) => (await cloud.get(`/runs/?${query}`)).body;
const places = (body: any): number[] => body.data.map((run: any) => numbers.indexOf(run.id));

describe('a list of runs holds those', () => {
  test.each([
    ['of the account, oldest first', () => '', [0, 1, 2, 3, 4, 5, 6]],
    ['of a job', () => `job_definition_id=${otherJob}`, [3, 5]],
    ['of several jobs', () => `job_definition_id=[${otherJob}, ${cloud.job}]`, [0, 1, 3, 4, 5, 6]],
    ['of a project', () => `project_id=${cloud.project}`, [0, 1, 4, 6]],
    [
      'of several projects',
      () => `project_id__in=[${cloud.project}, ${other.project}]`,
      [0, 1, 2, 3, 4, 5, 6],
    ],
    ['of an environment', () => `environment_id=${other.environment}&project_id=${other.project}`, [2, 3, 5]],
    [
      'of an environment of another project',
      () => `environment_id=${other.environment}&project_id=${cloud.project}`,
      [],
    ],
    ['queued', () => 'status=1', [6]],
    ['starting', () => 'status=2', [4]],
    ['running', () => 'status=Running', [5]],
    ['queued, starting or running', () => `status__in=${encodeURIComponent('[1, 2, 3]')}`, [4, 5, 6]],
    ['with success', () => 'status=success', [0]],
    ['with an error', () => 'status__in=[20]', [1, 2]],
    ['cancelled', () => 'status__in=["30"]', [3]],
    ['with any end', () => 'status__in=[10,20,30]', [0, 1, 2, 3]],
    ['of both filters', () => 'status=20&status__in=[10,20]', [1, 2]],
    [
      'of a job that are open',
      () => `job_definition_id=${cloud.job}&status__in=[1,2,3]&limit=1&order_by=-created_at`,
      [6],
    ],
    [
      'that ended within a time, by their end',
      () =>
        `project_id=${other.project}&environment_id=${other.environment}&order_by=finished_at&finished_at__range=${encodeURIComponent('["2026-04-02T13:00:00.123456+00:00", "2026-04-02T17:30:00+02:00"]')}`,
      [2, 3],
    ],
    ['that ended, last ones first', () => 'status__in=[10,20,30]&order_by=-finished_at', [3, 2, 1, 0]],
    ['that defer to a run: none', () => 'deferring_run_id=1', []],
    ['of what there is not', () => 'job_definition_id=999999', []],
    ['that clients know more about than we do', () => 'account_id=1&colour=red&order_by=-id&limit=2', [6, 5]],
  ])('%s', async (_which, query, expected) => {
    const body = await list(query());
    expect(places(body)).toEqual(expected);
    const isWhole = !query().includes('limit=');
    if (isWhole)
      expect(body.extra.pagination).toEqual({ count: expected.length, total_count: expected.length });
  });
});

test('pages come one after the other, and each says how many there are in all', async () => {
  const seen: number[] = [];
  for (let offset = 0; offset < 9; offset += 3) {
    const body = await list(`limit=3&offset=${offset}&order_by=-created_at`);
    seen.push(...places(body));
    expect(body.extra).toEqual({
      filters: { limit: 3, offset },
      order_by: '-created_at',
      pagination: { count: Math.min(3, 7 - offset), total_count: 7 },
    });
  }
  expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0]);
});

/** As Airflow reads on: it adds the counts of the pages up to the total that came with the first. */
test('who adds the counts up comes to an end, though there have become fewer meanwhile', async () => {
  const first = await list('limit=3&status__in=[10,20,30]');
  expect(first.extra.pagination).toEqual({ count: 3, total_count: 4 });
  const beyond = await list('limit=3&offset=3&status__in=[10]');
  expect(beyond.data).toEqual([]);
  expect(first.extra.pagination.count + beyond.extra.pagination.count).toBeGreaterThanOrEqual(4);
});

test('longer pages than a hundred are cut, and say so', async () => {
  expect((await list('limit=5000')).extra.filters).toEqual({ limit: 100, offset: 0 });
});

test('a list says of each run what it is asked for', async () => {
  const { data } = await list('include_related=["trigger","job",,"run_steps", "environment"]&limit=2');
  for (const run of data)
    expect(run).toMatchObject({
      job: { id: cloud.job },
      environment: { id: cloud.environment },
      trigger: { cause_category: expect.any(String) },
      run_steps: [{ index: 1 }, { index: 2 }, { index: 3 }, { index: 4, logs: '' }],
      href: expect.stringContaining('/api/v1/runs/'),
    });
});
