import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createJob,
  deployProject,
  ended,
  expectStatus,
  trigger,
  type DeployedProject,
} from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem();
  project = await deployProject(system);
});
afterAll(() => system.stop());

async function run(command: string, jobFields: Record<string, unknown> = {}) {
  const jobId = await createJob(system, project.projectId, jobFields);
  return ended(system, await trigger(system, { ...project, jobId }, { command_override: command }));
}

describe('the status of a run says how dbt ended', () => {
  test('a build without failures is success', async () => {
    const ran = await run('dbt build');
    expect(ran).toMatchObject({ status: 'success', status_reason: null, error_message: null, exit_code: 0 });
    expect(ran.nodes_total).toBeGreaterThan(20);
    expect(ran.nodes_succeeded).toBe(ran.nodes_total);
  });

  test('a build with some failed nodes is partial, and names the first of them', async () => {
    const ran = await run(`dbt build --vars '{"fail_test": true}'`);
    expect(ran).toMatchObject({ status: 'partial', status_reason: null, nodes_failed: 1 });
    expect(ran.error_message).toMatch(/^1 of \d+ nodes failed.*test\./);
  });

  test('a project that does not compile is failed, with what dbt says', async () => {
    const ran = await run(`dbt build --vars '{"break_compilation": true}'`);
    expect(ran).toMatchObject({ status: 'failed', status_reason: null, nodes_total: 0 });
    expect(ran.error_message).toMatch(/compilation/i);
  });

  test('a run that selects nothing is success with no nodes', async () => {
    expect(await run('dbt run --select no_such_model')).toMatchObject({ status: 'success', nodes_total: 0 });
  });

  test('a run over its timeout is error, timed_out', async () => {
    const ran = await run(`dbt build --vars '{"slow_seconds": 60}'`, { timeout_seconds: 6 });
    expect(ran).toMatchObject({ status: 'error', status_reason: 'timed_out' });
    expect(ran.error_message).toContain('6 s');
    expect(ran.duration_seconds).toBeLessThan(30);
  });

  test('a run over its memory is error, out_of_memory, with the limit', async () => {
    const path = `/api/v1/projects/${project.projectId}/environments/${project.environmentId}`;
    await expectStatus(200, system.call('PATCH', path, { memory_mb: 256 }));
    const ran = await run(`dbt build --vars '{"eat_memory": true}'`);
    await expectStatus(200, system.call('PATCH', path, { memory_mb: null }));
    expect(ran).toMatchObject({ status: 'error', status_reason: 'out_of_memory' });
    expect(ran.error_message).toContain('256 MB');
  });

  test('a run whose image is missing is error, image_not_found, within seconds', async () => {
    const path = `/api/v1/projects/${project.projectId}/environments/${project.environmentId}`;
    await expectStatus(200, system.call('PATCH', path, { runner_image: 'no-such-image:1' }));
    const ran = await run('dbt build');
    await expectStatus(200, system.call('PATCH', path, { runner_image: null }));
    expect(ran).toMatchObject({ status: 'error', status_reason: 'image_not_found' });
    expect(ran.error_message).toContain('no-such-image:1');
    expect(ran.duration_seconds).toBeLessThan(5);
  });
});
