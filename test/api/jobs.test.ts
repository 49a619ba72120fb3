import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createJob, deployProject, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;
let jobs: string;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
  jobs = `/api/v1/projects/${project.projectId}/jobs`;
});
afterAll(() => system.stop());

describe('a project', () => {
  test('is created, and found by its id and in the list', async () => {
    const created = await expectStatus(
      201,
      system.call('POST', '/api/v1/projects', { name: 'dw – main', type: 'dbt' }),
    );
    expect(created.body).toMatchObject({ name: 'dw – main', type: 'dbt', jobs: [] });
    expect((await system.call('GET', `/api/v1/projects/${created.body.id}`)).body).toEqual(created.body);
    expect((await system.call('GET', '/api/v1/projects')).body.data).toContainEqual(created.body);
  });

  test('of a taken name is 409', async () => {
    await expectStatus(201, system.call('POST', '/api/v1/projects', { name: 'taken' }));
    const answer = await system.call('POST', '/api/v1/projects', { name: 'taken' });
    expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining('name') } });
  });

  test.each([
    {},
    { name: '' },
    { name: ' ' },
    { name: 'a\nb' },
    { name: 'x'.repeat(201) },
    { name: 'x', type: 'spark' },
  ])('is refused as %j', async (body) => {
    expect((await system.call('POST', '/api/v1/projects', body)).status).toBe(400);
  });
});

describe('a job', () => {
  test('is created with defaults, read, listed, changed and deleted', async () => {
    const created = await expectStatus(
      201,
      system.call('POST', jobs, { name: 'nightly', command: 'dbt build --select a+' }),
    );
    expect(created.body).toMatchObject({
      project_id: project.projectId,
      environment_id: project.environmentId,
      name: 'nightly',
      command: 'dbt build --select a+',
      timeout_seconds: 3_600,
      max_parallel_runs: 1,
      webhook_enabled: false,
      webhook_url: null,
      webhook_headers: {},
      webhook_events: [],
    });
    const path = `${jobs}/${created.body.id}`;
    expect((await system.call('GET', path)).body).toEqual(created.body);
    expect((await system.call('GET', jobs)).body.data).toContainEqual(created.body);

    const change = { name: 'hourly', command: 'dbt test', timeout_seconds: 60, max_parallel_runs: 3 };
    const changed = await expectStatus(200, system.call('PATCH', path, change));
    expect(changed.body).toEqual({ ...created.body, ...change, commands: ['dbt test'] });
    expect((await system.call('PATCH', path, {})).body).toEqual(changed.body);

    expect(await system.call('DELETE', path)).toMatchObject({ status: 204, text: '' });
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      expect((await system.call(method, path, method === 'PATCH' ? {} : undefined)).status).toBe(404);
    }
    expect((await system.call('POST', `${path}/trigger`)).status).toBe(404);
  });

  test('of a taken name is 409, until that job is deleted', async () => {
    const first = await createJob(system, project.projectId, { name: 'mine' });
    const second = await createJob(system, project.projectId, { name: 'yours' });
    expect((await system.call('POST', jobs, { name: 'mine', command: 'dbt build' })).status).toBe(409);
    expect((await system.call('PATCH', `${jobs}/${second}`, { name: 'mine' })).status).toBe(409);
    await expectStatus(204, system.call('DELETE', `${jobs}/${first}`));
    expect((await system.call('PATCH', `${jobs}/${second}`, { name: 'mine' })).status).toBe(200);
  });

  test('that is deleted leaves its runs and its webhooks readable', async () => {
    const jobId = await createJob(system, project.projectId, {});
    const runId = await trigger(system, { ...project, jobId });
    await expectStatus(204, system.call('DELETE', `${jobs}/${jobId}`));
    expect((await system.call('GET', `/api/v1/runs/${runId}`)).body).toMatchObject({
      id: runId,
      job_id: jobId,
    });
    expect((await system.call('GET', `${jobs}/${jobId}/deliveries`)).status).toBe(200);
  });

  test('with a command that is not allowed is 400 with the place of the mistake', async () => {
    for (const [method, path] of [
      ['POST', jobs],
      ['PATCH', `${jobs}/${project.jobId}`],
    ] as const) {
      const answer = await system.call(method, path, { name: 'bad', command: 'dbt build; rm -rf /' });
      expect(answer).toMatchObject({ status: 400, body: { type: 'urn:dctl:error:invalid_command' } });
      expect(answer.body.errors).toEqual([{ pointer: '/command', detail: answer.body.detail, position: 9 }]);
    }
  });

  test('takes several commands, each of which must be allowed', async () => {
    const commands = ['dbt seed', 'dbt build --exclude resource_type:seed'];
    const { body: job } = await expectStatus(201, system.call('POST', jobs, { name: 'two', commands }));
    expect(job).toMatchObject({ commands, command: commands.join(' && ') });

    const second = await system.call('PATCH', `${jobs}/${job.id}`, { commands: ['dbt seed', 'dbt init'] });
    expect(second).toMatchObject({ status: 400, body: { errors: [{ pointer: '/commands/1' }] } });
    const both = await system.call('PATCH', `${jobs}/${job.id}`, { command: 'dbt seed', commands });
    expect(both).toMatchObject({ status: 400, body: { errors: [{ pointer: '/commands' }] } });
    const none = await system.call('POST', jobs, { name: 'none' });
    expect(none).toMatchObject({ status: 400, body: { errors: [{ pointer: '/command' }] } });
    expect((await system.call('GET', `${jobs}/${job.id}`)).body).toEqual(job);
  });

  test('with a value of the wrong kind is 400 with what to write instead', async () => {
    const body = { name: 7, command: 'dbt build', timeout_seconds: 1.5, webhook_events: ['done'] };
    const { body: problem } = await expectStatus(400, system.call('POST', jobs, body));
    expect(problem.errors).toEqual([
      { pointer: '/name', detail: 'write a text, in quotes' },
      { pointer: '/timeout_seconds', detail: 'write a whole number' },
      { pointer: '/webhook_events/0', detail: 'write one of "completed", "failed", "partial"' },
    ]);
  });

  test("with another project's environment is 400", async () => {
    const { environmentId } = await deployProject(system);
    for (const [method, path] of [
      ['POST', jobs],
      ['PATCH', `${jobs}/${project.jobId}`],
    ] as const) {
      const body = { name: 'elsewhere', command: 'dbt build', environment_id: environmentId };
      const answer = await system.call(method, path, body);
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '/environment_id' }] } });
    }
  });

  test.each([
    { timeout_seconds: 0 },
    { timeout_seconds: 1.5 },
    { timeout_seconds: '60' },
    { timeout_seconds: 604_801 },
    { max_parallel_runs: 0 },
    { max_parallel_runs: 101 },
    { name: null },
    { environment_id: null },
    { id: 'mine' },
    { webhook_secret: 'whsec_mine' },
  ])('is not changed by %j', async (change) => {
    const [field] = Object.keys(change);
    const answer = await system.call('PATCH', `${jobs}/${project.jobId}`, change);
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining(field!) } });
  });

  test('changed a hundred times at once is left with one of the changes, and every call is answered', async () => {
    const jobId = await createJob(system, project.projectId, {});
    const change = (seconds: number) =>
      system.call('PATCH', `${jobs}/${jobId}`, {
        timeout_seconds: seconds,
        environment_id: project.environmentId,
      });
    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => change(index + 1)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test('changed while its run waits does not change that run', async () => {
    const jobId = await createJob(system, project.projectId, { command: 'dbt build --select before' });
    const runId = await trigger(system, { ...project, jobId });
    await expectStatus(
      200,
      system.call('PATCH', `${jobs}/${jobId}`, { command: 'dbt build --select after', timeout_seconds: 5 }),
    );
    const { rows } = await system.pool.query('SELECT command, settings FROM runs WHERE id = $1', [runId]);
    expect(rows[0]).toMatchObject({
      command: 'dbt build --select before',
      settings: {
        steps: [{ command: 'dbt build --select before', argv: ['build', '--select', 'before'] }],
        timeoutSeconds: 3_600,
      },
    });
  });
});
