import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asAnotherOrganization } from '../support/organization.ts';
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
      schedule: null,
      run_after: [],
      automatic_retries: { attempts: 0, delay_seconds: 60 },
      replace_queued: false,
      description: '',
      target: null,
      threads: null,
      generate_docs: false,
      generate_sources: false,
      updated_at: created.body.created_at,
    });
    const path = `${jobs}/${created.body.id}`;
    expect((await system.call('GET', path)).body).toEqual(created.body);
    expect((await system.call('GET', jobs)).body.data).toContainEqual(created.body);

    const change = { name: 'hourly', command: 'dbt test', timeout_seconds: 60, max_parallel_runs: 3 };
    const changed = await expectStatus(200, system.call('PATCH', path, change));
    const { updated_at: updatedAt } = changed.body;
    expect(changed.body).toEqual({
      ...created.body,
      ...change,
      commands: ['dbt test'],
      updated_at: updatedAt,
    });
    expect(Date.parse(updatedAt)).toBeGreaterThan(Date.parse(created.body.created_at));
    expect((await system.call('PATCH', path, {})).body).toEqual(changed.body);

    expect(await system.call('DELETE', path)).toMatchObject({ status: 204, text: '' });
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      expect((await system.call(method, path, method === 'PATCH' ? {} : undefined)).status).toBe(404);
    }
    expect((await system.call('POST', `${path}/trigger`)).status).toBe(404);
  });

  test('says how its commands are to be run, and who changed that is noted', async () => {
    const fields = {
      description: 'For the board',
      target: 'staging',
      threads: 3,
      generate_docs: true,
      generate_sources: true,
    };
    const jobId = await createJob(system, project.projectId, fields);
    const path = `${jobs}/${jobId}`;
    expect((await system.call('GET', path)).body).toMatchObject(fields);
    const change = {
      description: '',
      target: null,
      threads: null,
      generate_docs: false,
      generate_sources: false,
    };
    expect((await expectStatus(200, system.call('PATCH', path, change))).body).toMatchObject(change);
    const [{ action, details }] = (await system.call('GET', '/api/v1/audit?limit=1')).body.data;
    expect({ action, details }).toEqual({ action: 'job.changed', details: { fields: Object.keys(change) } });
  });

  test.each([
    ['/description', { description: 'x'.repeat(10_001) }],
    ['/target', { target: 'a b' }],
    ['/threads', { threads: 129 }],
    ['/generate_docs', { generate_docs: null }],
    ['/generate_sources', { generate_sources: 'yes' }],
  ])('of which %s is not right is 400', async (pointer, fields) => {
    const answer = await system.call('PATCH', `${jobs}/${project.jobId}`, fields);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
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

  test('shows when it runs by itself, after which jobs, and how its runs wait and are retried', async () => {
    const upstream = await createJob(system, project.projectId, {});
    const fields = {
      schedule: { cron: '30 6 * * 1-5', timezone: 'Europe/Berlin', missed: 'skip' },
      run_after: [{ job_id: upstream, statuses: ['success', 'partial'] }],
      automatic_retries: { attempts: 2, delay_seconds: 300 },
      replace_queued: true,
    };
    const given = { name: 'by itself', command: 'dbt build', ...fields };
    const { body: job } = await expectStatus(201, system.call('POST', jobs, given));
    expect(job).toMatchObject(fields);
    expect(Date.parse(job.schedule.next_run_at)).toBeGreaterThan(Date.now());
    const path = `${jobs}/${job.id}`;
    expect((await system.call('GET', path)).body).toEqual(job);
    expect((await system.call('GET', `${jobs}?limit=100`)).body.data).toContainEqual(job);
    expect((await system.call('PATCH', path, { timeout_seconds: 60 })).body).toMatchObject(fields);

    const change = { schedule: { cron: '@daily' }, run_after: [{ job_id: upstream }] };
    expect((await expectStatus(200, system.call('PATCH', path, change))).body).toMatchObject({
      schedule: { cron: '@daily', timezone: 'UTC', missed: 'run_once', problem: null },
      run_after: [{ job_id: upstream, statuses: ['success'] }],
    });
    const nothing = { schedule: null, run_after: [], automatic_retries: { attempts: 0 } };
    expect((await expectStatus(200, system.call('PATCH', path, nothing))).body).toMatchObject({
      schedule: null,
      run_after: [],
      automatic_retries: { attempts: 0, delay_seconds: 60 },
    });
  });

  test.each([
    [{ schedule: { cron: '0 25 * * *' } }, '/schedule/cron', 'The hour, "25"'],
    [{ schedule: { cron: '0 6 30 2 *' } }, '/schedule/cron', 'never comes'],
    [{ schedule: { cron: '0 6 * * *', timezone: 'Berlin' } }, '/schedule/timezone', 'Europe/Berlin'],
    [{ schedule: { cron: '0 6 * * *', missed: 'later' } }, '/schedule/missed', 'write one of'],
    [{ schedule: { timezone: 'UTC' } }, '/schedule/cron', ''],
    [{ run_after: [{ job_id: 'x', statuses: ['queued'] }] }, '/run_after/0/statuses/0', 'write one of'],
    [{ run_after: [{ job_id: 'x', statuses: [] }] }, '/run_after/0/statuses', 'at least one'],
    [{ automatic_retries: { attempts: 11 } }, '/automatic_retries/attempts', ''],
  ])('is not saved with %j', async (wrong, pointer, said) => {
    for (const [method, path] of [
      ['POST', jobs],
      ['PATCH', `${jobs}/${project.jobId}`],
    ] as const) {
      const given = method === 'POST' ? { name: 'wrong', command: 'dbt build', ...wrong } : wrong;
      const { body } = await expectStatus(400, system.call(method, path, given));
      expect(body.errors).toEqual([{ pointer, detail: expect.stringContaining(said) }]);
    }
  });

  test("runs after jobs of its organization only: another's is refused like one that is not there", async () => {
    const { jobId: foreign } = await deployProject(await asAnotherOrganization(system));
    const deleted = await createJob(system, project.projectId, {});
    await expectStatus(204, system.call('DELETE', `${jobs}/${deleted}`));
    const refusals = [];
    for (const job_id of [foreign, deleted, 'unknown']) {
      const { body } = await expectStatus(
        400,
        system.call('PATCH', `${jobs}/${project.jobId}`, { run_after: [{ job_id }] }),
      );
      refusals.push(body.errors);
    }
    expect(refusals[0]).toMatchObject([{ pointer: '/run_after/0/job_id' }]);
    expect(new Set(refusals.map((errors) => JSON.stringify(errors))).size).toBe(1);
  });

  test('runs after no job twice, not after itself, and in no circle', async () => {
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => createJob(system, project.projectId, {})));
    const save = (job: string, ...after: string[]) =>
      system.call('PATCH', `${jobs}/${job}`, { run_after: after.map((job_id) => ({ job_id })) });
    await expectStatus(200, save(b!, a!));
    await expectStatus(200, save(c!, b!));
    for (const [wrong, pointer] of [
      [save(a!, a!), '/run_after/0/job_id'],
      [save(c!, a!, a!), '/run_after/1/job_id'],
      [save(a!, c!), '/run_after/0/job_id'],
    ] as const) {
      expect((await expectStatus(400, wrong)).body.errors).toMatchObject([{ pointer }]);
    }
    expect((await system.call('GET', `${jobs}/${a}`)).body.run_after).toEqual([]);
  });

  test('and two saved at once make no circle either', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [a, b] = await Promise.all([1, 2].map(() => createJob(system, project.projectId, {})));
      const answers = await Promise.all([
        system.call('PATCH', `${jobs}/${a}`, { run_after: [{ job_id: b }] }),
        system.call('PATCH', `${jobs}/${b}`, { run_after: [{ job_id: a }] }),
      ]);
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400]);
    }
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
