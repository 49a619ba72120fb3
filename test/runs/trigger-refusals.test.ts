import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deployProject, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { countWaiting } from '../support/waiting.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
});
afterAll(() => system.stop());

test('a job that is switched off is not run: 409 says how to switch it on', async () => {
  const project = await deployProject(system);
  await system.pool.query('UPDATE jobs SET enabled = false WHERE id = $1', [project.jobId]);
  const refused = await ask(project);
  expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('enabled') } });
  await system.pool.query('UPDATE jobs SET enabled = true WHERE id = $1', [project.jobId]);
  await expectStatus(200, ask(project));
  expect(await countRuns(project)).toBe(1);
});

test('a run says who asked for it', async () => {
  const runId = await trigger(system, await deployProject(system));
  const { body } = await system.call('GET', `/api/v1/runs/${runId}`);
  expect(body).toMatchObject({ triggered_by: 'manual', requested_by: 'first start' });
});

test('command_override is refused where the project is not of type dbt', async () => {
  const project = await deployProject(system);
  await system.pool.query('ALTER TABLE projects DROP CONSTRAINT IF EXISTS projects_type_check');
  await system.pool.query("UPDATE projects SET type = 'sqlmesh' WHERE id = $1", [project.projectId]);
  const refused = await ask(project, { command_override: 'dbt build' });
  expect(refused).toMatchObject({
    status: 400,
    body: {
      errors: [
        {
          pointer: '/command_override',
          detail: expect.stringContaining('command_override is only available for dbt projects'),
        },
      ],
    },
  });
  expect(await countRuns(project)).toBe(0);
});

test('no run is recorded of a deployment whose files were removed, not even while they are being removed', async () => {
  const project = await deployProject(system);
  await trigger(system, project);
  const remover = await system.pool.connect();
  try {
    await remover.query('BEGIN');
    await remover.query('SELECT id FROM deployments WHERE project_id = $1 FOR UPDATE', [project.projectId]);
    const triggering = ask(project);
    await until(
      'the trigger waits',
      () => countWaiting(system),
      (waiting) => waiting === 1,
    );
    await remover.query('UPDATE deployments SET pruned_at = now() WHERE project_id = $1', [
      project.projectId,
    ]);
    await remover.query('COMMIT');
    expect(await triggering).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('deploy it first') },
    });
  } finally {
    remover.release();
  }
  expect((await ask(project)).status).toBe(409);
  expect(await countRuns(project)).toBe(1);
});

function ask({ projectId, jobId }: DeployedProject, body?: unknown) {
  return system.call('POST', `/api/v1/projects/${projectId}/jobs/${jobId}/trigger`, body);
}

async function countRuns({ projectId }: DeployedProject): Promise<number> {
  const { rows } = await system.pool.query('SELECT count(*)::int AS count FROM runs WHERE project_id = $1', [
    projectId,
  ]);
  return rows[0].count;
}
