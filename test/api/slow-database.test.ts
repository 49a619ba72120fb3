import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deployProject, trigger } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
});
afterAll(() => system.stop());

test('a trigger that was answered 503 is not carried out later', async () => {
  const project = await deployProject(system);
  const holder = await system.pool.connect();
  try {
    await holder.query('BEGIN');
    await holder.query('SELECT id FROM jobs WHERE id = $1 FOR UPDATE', [project.jobId]);
    const path = `/api/v1/projects/${project.projectId}/jobs/${project.jobId}/trigger`;
    const answer = await system.call('POST', path);
    expect(answer).toMatchObject({ status: 503, body: { type: 'urn:dctl:error:unavailable' } });
  } finally {
    await holder.query('ROLLBACK');
    holder.release();
  }
  const runId = await trigger(system, project);
  expect((await system.call('GET', '/api/v1/runs')).body.data).toMatchObject([{ id: runId }]);
});
