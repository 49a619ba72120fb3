import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asAnotherOrganization } from '../support/organization.ts';
import { createJob, deployProject, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let ours: DeployedProject;
let other: DeployedProject;
let otherJob: string;

/** Runs of an hour each from noon on, oldest first: which job, how it ended, what made it begin. */
const recorded = [
  { of: 'ours', status: 'success', by: 'manual' },
  { of: 'ours', status: 'failed', by: 'schedule' },
  { of: 'other', status: 'error', by: 'schedule' },
  { of: 'otherJob', status: 'success', by: 'event' },
  { of: 'ours', status: 'queued', by: 'manual' },
  { of: 'otherJob', status: 'queued', by: 'api' },
] as const;
const runIds: string[] = [];

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  [ours, other] = await Promise.all([deployProject(system), deployProject(system)]);
  otherJob = await createJob(system, other.projectId, {});
  const jobs = { ours, other, otherJob: { ...other, jobId: otherJob } };
  for (const [hour, { of, status, by }] of recorded.entries()) {
    const runId = await trigger(system, jobs[of]);
    await system.pool.query(
      `UPDATE runs SET created_at = '2026-04-02T12:00:00Z'::timestamptz + make_interval(hours => $2), triggered_by = $3,
         status = $4, finished_at = CASE WHEN $4 <> 'queued' THEN now() END WHERE id = $1`,
      [runId, hour, by, status],
    );
    runIds.push(runId);
  }
});
afterAll(() => system.stop());

describe('a list of runs holds those', () => {
  test.each([
    ['of a project', () => `project_id=${ours.projectId}`, [0, 1, 4]],
    ['of a job', () => `job_id=${otherJob}`, [3, 5]],
    ['of an environment', () => `environment_id=${other.environmentId}`, [2, 3, 5]],
    ['of one status', () => 'status=queued', [4, 5]],
    ['of several statuses, with commas', () => 'status=failed,error', [1, 2]],
    ['of several statuses, repeated', () => 'status=failed&status=error', [1, 2]],
    ['that something made begin', () => 'triggered_by=schedule,event', [1, 2, 3]],
    ['recorded at a time or later', () => 'created_after=2026-04-02T16:00:00Z', [4, 5]],
    ['recorded before a time, in another zone', () => 'created_before=2026-04-02T16:00:00%2B02:00', [0, 1]],
    [
      'of all filters at once',
      () =>
        `project_id=${ours.projectId}&status=success,failed&triggered_by=schedule&created_after=2026-04-02T12:00:00Z`,
      [1],
    ],
    ['of nothing that there is', () => `project_id=${ours.projectId}&job_id=${otherJob}`, []],
  ])('%s', async (_which, query, expected) => {
    expect(await readPages(system, query())).toEqual(expected);
  });
});

test("another organization's ids give an empty list, just as unknown ones do", async () => {
  const stranger = await asAnotherOrganization(system);
  for (const query of [
    `project_id=${ours.projectId}`,
    `job_id=${ours.jobId}`,
    `environment_id=${ours.environmentId}`,
    'project_id=unknown',
    '',
  ])
    expect((await stranger.call('GET', `/api/v1/runs?${query}`)).body).toEqual({
      data: [],
      next_cursor: null,
    });
});

test.each([
  ['status=done', 'query.status', 'queued, running, success, partial, failed, error'],
  ['status=', 'query.status', 'queued, running'],
  ['status=success,done', 'query.status', 'queued, running'],
  ['triggered_by=me', 'query.triggered_by', 'manual, schedule, api, event, retry'],
  ['created_after=yesterday', 'query.created_after', '2026-04-02T12:00:00Z'],
  ['created_after=2026-04-02T12:00:00', 'query.created_after', 'with its zone'],
  ['created_after=2026-04-02T12:00:00+02:00', 'query.created_after', '%2B'],
  ['created_before=0000-01-01T00:00:00Z', 'query.created_before', 'between 1970'],
  ['created_before=9999-12-31T23:59:59-12:00', 'query.created_before', 'between 1970'],
  ['job_id=a&job_id=b', 'query.job_id', ''],
])('a filter that says nothing clear is refused: %s', async (query, pointer, hint) => {
  const { body } = await expectStatus(400, system.call('GET', `/api/v1/runs?${query}`));
  expect(body.errors).toMatchObject([{ pointer, detail: expect.stringContaining(hint) }]);
});

/** Which of the recorded runs a list holds, oldest first; read in pages of two. */
async function readPages(who: System, query: string): Promise<number[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = cursor === '' ? 'limit=2' : `limit=2&cursor=${encodeURIComponent(cursor)}`;
    const { body }: { body: any } = await expectStatus(200, who.call('GET', `/api/v1/runs?${query}&${page}`));
    ids.push(...body.data.map(({ id }: { id: string }) => id));
    cursor = body.next_cursor;
  }
  const places = ids.map((id) => runIds.indexOf(id));
  expect(places).toEqual(places.toSorted((a, b) => b - a));
  return places.toReversed();
}
