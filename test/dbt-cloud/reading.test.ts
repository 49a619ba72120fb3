import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as shapes from '../../src/dbt-cloud/schema.ts';
import { asDbtCloud, type DbtCloud } from '../support/dbt-cloud.ts';
import { asAnotherOrganization, insertToken, withToken } from '../support/organization.ts';
import { deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { startSystem, type Answer, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;
let cloud: DbtCloud;
let run: number;

beforeAll(async () => {
  system = await startSystem({ workers: 0, environment: { DCTL_RATE_PER_TOKEN: '300' } });
  project = await deployProject(system, { name: 'Shop 100%' });
  cloud = await asDbtCloud(system, project);
  run = (await cloud.post(`/jobs/${cloud.job}/run/`, { cause: 'a test' })).body.data.id;
});
afterAll(() => system.stop());

const v3 = (path: string) => system.call('GET', `/api/v3/accounts/${cloud.account}${path}`);

function expectEnvelope(answer: Answer, code: number): void {
  expect(answer.headers.get('content-type')).toContain('application/json');
  expect(answer).toMatchObject({
    status: code,
    body: {
      status: { code, is_success: false, user_message: expect.stringMatching(/\w/) },
      data: null,
    },
  });
}

describe('what clients look up', () => {
  test('that somebody is there, without a token', async () => {
    const response = await fetch(`${system.url}/`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ name: 'dctl' });
  });

  test('the account, alone and as a list, under either version and either kind of token', async () => {
    for (const version of ['v2', 'v3']) {
      const { body: list } = await system.call('GET', `/api/${version}/accounts/`, undefined, {
        authorization: `Token ${system.token}`,
      });
      expect(list.data).toEqual([shapes.account.parse(list.data[0])]);
      const one = await system.call('GET', `/api/${version}/accounts/${cloud.account}`);
      expect(one.body).toMatchObject({ status: { code: 200, is_success: true }, data: list.data[0] });
    }
  });

  test('projects, by their names as well', async () => {
    const { body } = await expectStatus(200, v3('/projects/?name__icontains=shop%20100%25'));
    expect(body.data).toMatchObject([{ id: cloud.project, name: 'Shop 100%', account_id: cloud.account }]);
    expect(body.extra).toEqual({
      filters: { limit: 100, offset: 0 },
      order_by: 'id',
      pagination: { count: 1, total_count: 1 },
    });
    expect((await v3('/projects/?name__icontains=s_op')).body.data).toEqual([]);
    expect((await cloud.get(`/projects/${cloud.project}`)).body.data).toEqual(
      (await v3(`/projects/${cloud.project}/`)).body.data,
    );
  });

  test('environments, of a project and by their names', async () => {
    const expected = [{ id: cloud.environment, project_id: cloud.project, name: 'production' }];
    for (const path of [
      `/projects/${cloud.project}/environments/?name__icontains=PROD`,
      `/environments/?project_id=${cloud.project}`,
      `/environments/?project_id__in=[${cloud.project}, 999]`,
    ])
      expect((await v3(path)).body.data).toMatchObject(expected);
    expect((await v3('/environments/?project_id=999')).body.data).toEqual([]);
    expect((await cloud.get(`/environments/${cloud.environment}`)).body.data).toMatchObject(expected[0]!);
    const below = `/projects/${cloud.project}/environments/${cloud.environment}/`;
    expect((await v3(below)).body.data).toMatchObject(expected[0]!);
  });

  test('no name that could not be stored', async () => {
    for (const path of ['/projects/?name=%00', '/environments/?name__icontains=%00'])
      expect((await v3(path)).body.status).toMatchObject({ code: 400 });
  });

  test("where a project's warehouse is, and nothing secret", async () => {
    const path = `/api/v1/projects/${project.projectId}/environments/${project.environmentId}`;
    const connection = {
      type: 'postgres',
      host: 'db.example.com',
      user: 'shop',
      password: 'hush-hush',
      dbname: 'shop',
      schema: 'public',
    };
    await expectStatus(200, system.call('PATCH', path, { connection }));
    const { body, text } = await v3(`/projects/${cloud.project}/`);
    await expectStatus(200, system.call('PATCH', path, { connection: null }));
    expect(body.data.connection).toMatchObject({
      type: 'postgres',
      details: { host: 'db.example.com', port: 5432, dbname: 'shop' },
    });
    expect(text).not.toMatch(/hush|\*\*\*/);
  });

  test("a job's own variables: there are none, and none can be set", async () => {
    const path = `/projects/${cloud.project}/environment-variables`;
    expect((await v3(`${path}/job/?job_definition_id=${cloud.job}`)).body.data).toEqual({});
    const at = `/api/v3/accounts/${cloud.account}${path}/`;
    const refused = await system.call('POST', at, { name: 'DBT_COLOUR', raw_value: 'red' });
    expectEnvelope(refused, 400);
    expect(refused.body.status.user_message).toMatch(/environment.*env_vars/);
    expectEnvelope(await system.call('DELETE', `${at}7/`), 404);
  });
});

describe('a run', () => {
  test('has the documented shape, and says where it is in our own API', async () => {
    const { body } = await expectStatus(200, cloud.get(`/runs/${run}/`));
    expect(shapes.run.parse(body.data)).toEqual(body.data);
    const { href, created_at: createdAt } = body.data;
    expect(href).toMatch(`${system.url}/api/v1/runs/`);
    expect((await system.call('GET', new URL(href).pathname)).body.cause).toBe('a test');
    expect(createdAt).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00$/);
    expect(body.data).toMatchObject({
      job_id: cloud.job,
      job_definition_id: cloud.job,
      project_id: cloud.project,
      environment_id: cloud.environment,
      trigger: { cause: 'a test', cause_category: 'api', steps_override: null },
      job: null,
      environment: null,
    });
  });

  const wanted = 'run_steps,job,environment';
  test.each([
    ['one after the other', '?include_related=job&include_related=environment'],
    ['with commas', `?include_related=${wanted}`],
    ['as a list of JSON', '?include_related=["run_steps", "job", "environment"]'],
    ['as a list with a gap', '?include_related=["trigger","job",,"run_steps", "environment"]'],
    ["as Python's list", "?include_related=['job', 'environment']"],
    ['bare, in brackets', '?include_related=[job,environment]'],
  ])('comes with what clients ask for: %s', async (_how, query) => {
    const { body } = await cloud.get(`/runs/${run}/${encodeURI(query)}`);
    expect(body.data).toMatchObject({
      job: {
        id: cloud.job,
        execute_steps: ['dbt build'],
        schedule: { cron: '0 * * * *', date: 'every_day' },
      },
      environment: { id: cloud.environment },
    });
    const { body: bare } = await cloud.get(`/runs/${run}/?include_related=`);
    expect(bare.data).toMatchObject({ job: null, environment: null });
  });

  const clone = 'Clone git repository';
  const ours = 'Invoke dbt with `dbt build`';
  test.each([
    ['queued', {}, [1, 'Queued'], [1, 1, 1, 1]],
    ['running', {}, [2, 'Starting'], [3, 1, 1, 1]],
    ['running', { begun: 'running' }, [3, 'Running'], [10, 10, 10, 3]],
    ['success', { begun: 'success' }, [10, 'Success'], [10, 10, 10, 10]],
    ['partial', { begun: 'failed' }, [20, 'Error'], [10, 10, 10, 20]],
    ['failed', { begun: 'failed' }, [20, 'Error'], [10, 10, 10, 20]],
    ['error', { reason: 'timed_out', begun: 'running' }, [20, 'Error'], [10, 10, 10, 20]],
    ['error', { reason: 'image_not_found' }, [20, 'Error'], [20, 'Skipped', 'Skipped', 'Skipped']],
    ['error', { reason: 'cancelled', begun: 'running' }, [30, 'Cancelled'], [10, 10, 10, 30]],
    ['error', { reason: 'replaced' }, [30, 'Cancelled'], [30, 30, 30, 30]],
  ])('that is %s (%j) is %j, its steps %j', async (status, how, [code, name], steps) => {
    const { begun = null, reason = null } = how as { begun?: string; reason?: string };
    const ended = status !== 'queued' && status !== 'running';
    await system.pool.query(
      `WITH old AS (DELETE FROM run_steps WHERE run_id = (SELECT id FROM runs WHERE number = $1))
       UPDATE runs SET status = $2, status_reason = $3, error_message = CASE WHEN $4 AND $2 <> 'success' THEN 'it went wrong' END,
         lease_token = CASE WHEN $2 = 'running' THEN 'a test' END,
         started_at = CASE WHEN $2 <> 'queued' THEN created_at + interval '5 s' END,
         finished_at = CASE WHEN $4 THEN created_at + interval '72 s' END, cancelled_by = NULL WHERE number = $1`,
      [run, status, reason, ended],
    );
    if (begun !== null)
      await system.pool.query(
        `INSERT INTO run_steps (run_id, number, status, started_at) SELECT id, 1, $2, started_at FROM runs WHERE number = $1`,
        [run, begun],
      );
    const { body } = await cloud.get(`/runs/${run}/`);
    expect(body.data).toMatchObject({
      status: code,
      status_humanized: name,
      in_progress: !ended,
      is_complete: ended,
      is_success: code === 10,
      is_error: code === 20,
      is_cancelled: code === 30,
      status_message: ended && code !== 10 ? 'it went wrong' : null,
      ...(ended && {
        duration: '00:01:12',
        duration_humanized: '1 minute, 12 seconds',
        run_duration: '00:01:07',
      }),
    });
    const shown = body.data.run_steps;
    expect(shown.map((step: any) => (step.status_humanized === 'Skipped' ? 'Skipped' : step.status))).toEqual(
      steps,
    );
    expect(shown.map((step: any) => step.index)).toEqual([1, 2, 3, 4]);
    expect([shown[0].name, shown[3].name]).toEqual([clone, ours]);
    expect(shown.every((step: any) => typeof step.logs === 'string')).toBe(true);
  });
});

describe('every error has the envelope that clients look into', () => {
  test.each([
    ['a token that is wrong', 401, { authorization: 'Token dctl_wrong' }, (c: DbtCloud) => `/runs/${c.job}/`],
    ['an address that is none', 404, {}, () => '/nothing/'],
    ['a number that is nothing', 404, {}, () => '/runs/999999/'],
    ['a number that is no number', 404, {}, () => '/jobs/null/'],
    ['a number beyond all numbers', 404, {}, () => `/runs/${'9'.repeat(30)}/`],
    ['a status that is none', 400, {}, () => '/runs/?status__in=[1, 4]'],
    ['an order that is none', 400, {}, () => '/runs/?order_by=colour'],
  ])('%s: %d', async (_what, code, headers, path) => {
    const at = `/api/v2/accounts/${cloud.account}${path(cloud)}`;
    expectEnvelope(await system.call('GET', at, undefined, headers), code);
  });

  test('an address that takes another method, a token that may not, and a body that is not JSON', async () => {
    expectEnvelope(await system.call('PUT', `/api/v3/accounts/${cloud.account}`), 405);
    const reader = withToken(system, await insertToken(system, { scope: 'read' }));
    const at = `/api/v2/accounts/${cloud.account}/jobs/${cloud.job}/run/`;
    expectEnvelope(await reader.call('POST', at, {}), 403);
    const json = { 'content-type': 'application/json' };
    expectEnvelope(await system.call('POST', at, Buffer.from('{"cause'), json), 400);
  });

  test('what is the account of somebody else, and what is theirs, is not there', async () => {
    const stranger = await asAnotherOrganization(system);
    const theirs = await asDbtCloud(stranger, await deployProject(stranger));
    const same = async (ours: string, unknown: string) => {
      const [foreign, missing] = await Promise.all([theirs.get(ours), theirs.get(unknown)]);
      expectEnvelope(foreign, 404);
      expect(foreign.text).toBe(missing.text);
    };
    await same(`/runs/${run}/`, '/runs/999999/');
    await same(`/runs/${run}/artifacts/`, '/runs/999999/artifacts/');
    await same(`/jobs/${cloud.job}/`, '/jobs/999999/');
    await same(`/projects/${cloud.project}/`, '/projects/999999/');
    await same(`/environments/${cloud.environment}/`, '/environments/999999/');
    const foreign = await stranger.call('GET', `/api/v2/accounts/${cloud.account}/`);
    expectEnvelope(foreign, 404);
    expect(foreign.text).toBe((await stranger.call('GET', '/api/v2/accounts/999999/')).text);
    expect((await theirs.get(`/runs/?job_definition_id=${cloud.job}`)).body.data).toEqual([]);
    expect((await theirs.get(`/jobs/?project_id=${cloud.project}`)).body.data).toEqual([]);
  });

  test('too many requests', async () => {
    const hasty = withToken(system, await insertToken(system));
    const asks = Array.from({ length: 400 }, () => hasty.call('GET', '/api/v2/accounts/'));
    const refused = (await Promise.all(asks)).find(({ status }) => status === 429);
    expectEnvelope(refused!, 429);
    expect(refused!.headers.get('retry-after')).toMatch(/^\d+$/);
  });
});
