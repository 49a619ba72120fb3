import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createJob, deployProject, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
});
afterAll(() => system.stop());

const pathOf = ({ projectId, jobId }: { projectId: string; jobId: string }) =>
  `/api/v1/projects/${projectId}/jobs/${jobId}/trigger`;

function triggerWithKey(key: string, body: unknown = {}, jobId = project.jobId) {
  return system.call('POST', pathOf({ ...project, jobId }), body, { 'idempotency-key': key });
}

async function countRuns(cause: string): Promise<number> {
  const { rows } = await system.pool.query('SELECT count(*)::int AS count FROM runs WHERE cause = $1', [
    cause,
  ]);
  return rows[0].count;
}

test('a request repeated later gets the first answer, in whatever order its fields come', async () => {
  const first = await triggerWithKey('later', { cause: 'later', metadata: { a: 1, b: 'x' } });
  const second = await triggerWithKey('later', { metadata: { b: 'x', a: 1 }, cause: 'later' });
  expect(second.body).toEqual(first.body);
  expect(await countRuns('later')).toBe(1);
});

test('a key sent for another job is 422', async () => {
  const otherJob = await createJob(system, project.projectId, {});
  await triggerWithKey('other-job');
  expect((await triggerWithKey('other-job', {}, otherJob)).status).toBe(422);
});

test('a refused request leaves its key free', async () => {
  expect((await triggerWithKey('refused', { command_override: 'dbt build; ls' })).status).toBe(400);
  expect((await triggerWithKey('refused', { command_override: 'dbt build' })).status).toBe(200);
});

test.each(['', 'two words', 'ümlaut', 'x'.repeat(256)])(
  'a key that is not 1 to 255 visible ASCII characters is 400: %p',
  async (key) => {
    expect(await triggerWithKey(key)).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('Idempotency-Key') },
    });
  },
);

test('the longest key is taken', async () => {
  expect((await triggerWithKey('~'.repeat(255))).status).toBe(200);
});
