import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as shapes from '../../src/dbt-cloud/schema.ts';
import { asDbtCloud, type DbtCloud } from '../support/dbt-cloud.ts';
import { insertToken, withToken } from '../support/organization.ts';
import { deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { example as sqlmeshExample } from '../sqlmesh/variant.ts';

let system: System;
let project: DeployedProject;
let cloud: DbtCloud;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
  cloud = await asDbtCloud(system, project);
});
afterAll(() => system.stop());

let made = 0;
const named = () => `job ${(made += 1)}`;
const where = () => ({ project_id: cloud.project, environment_id: cloud.environment });

async function create(body: object): Promise<any> {
  return (await expectStatus(200, cloud.post('/jobs/', { name: named(), ...where(), ...body }))).body.data;
}

async function change(id: number, body: object): Promise<any> {
  return (await expectStatus(200, cloud.post(`/jobs/${id}/`, body))).body.data;
}

/** The job in our own API. */
async function ourView(id: number): Promise<any> {
  const { rows } = await system.pool.query('SELECT id FROM jobs WHERE number = $1', [id]);
  return (await system.call('GET', `/api/v1/projects/${project.projectId}/jobs/${rows[0].id}`)).body;
}

/** What dbt-jobs-as-code sends. */
const wholeJob = () => ({
  id: null,
  account_id: cloud.account,
  ...where(),
  dbt_version: null,
  name: `Nightly build [[nightly-${(made += 1)}]]`,
  settings: { threads: 2, target_name: 'default' },
  execution: { timeout_seconds: 0 },
  deferring_job_definition_id: null,
  deferring_environment_id: null,
  run_generate_sources: true,
  run_lint: false,
  errors_on_lint_failure: false,
  execute_steps: ['dbt seed', 'dbt build'],
  generate_docs: true,
  schedule: {
    cron: '0 4 * * 1-5',
    date: { type: 'custom_cron', cron: '0 4 * * 1-5' },
    time: { type: 'every_hour', interval: 1 },
  },
  triggers: { github_webhook: false, git_provider_webhook: false, schedule: true, on_merge: false },
  description: 'As code',
  state: 1,
  run_compare_changes: false,
  compare_changes_flags: '--select state:modified+',
  job_type: 'other',
  cost_optimization_features: [],
  triggers_on_draft_pr: true,
  job_completion_trigger_condition: null,
});

describe('a job', () => {
  test('comes back as it was written, and is one of ours', async () => {
    const written = wholeJob();
    const job = await create(written);
    expect(shapes.job.parse(job)).toEqual(job);
    const { id: _, triggers, ...fields } = written;
    expect(job).toMatchObject({ ...fields, triggers });
    expect((await expectStatus(200, cloud.get(`/jobs/${job.id}`))).body.data).toEqual(job);
    expect(await ourView(job.id)).toMatchObject({
      name: written.name,
      commands: ['dbt seed', 'dbt build'],
      description: 'As code',
      threads: 2,
      target: null,
      timeout_seconds: 86_400,
      generate_docs: true,
      generate_sources: true,
      schedule: { cron: '0 4 * * 1-5', timezone: 'UTC' },
    });
  });

  test('of ours is shown, and changes nothing when it is sent back as it was shown', async () => {
    const before = await ourView(cloud.job);
    const { body } = await expectStatus(200, cloud.get(`/jobs/${cloud.job}/`));
    expect(body.data).toMatchObject({
      execute_steps: ['dbt build'],
      settings: { threads: 4, target_name: 'default' },
      execution: { timeout_seconds: 3_600 },
      triggers: { schedule: false },
      job_type: 'other',
    });
    await change(cloud.job, body.data);
    const { updated_at: _, ...after } = await ourView(cloud.job);
    expect(before).toMatchObject(after);
  });

  test('keeps its commands', async () => {
    const answer = await cloud.post(`/jobs/${cloud.job}/`, { execute_steps: [] });
    expect(answer.status).toBe(400);
    expect((await ourView(cloud.job)).commands).toEqual(['dbt build']);
  });

  test('keeps all that is written to it at once', async () => {
    const { id } = await create({ name: named() });
    const changes = { force_node_selection: true, triggers_on_draft_pr: true, compare_changes_flags: '--x' };
    await Promise.all(Object.entries(changes).map(([field, value]) => change(id, { [field]: value })));
    expect((await cloud.get(`/jobs/${id}/`)).body.data).toMatchObject(changes);
  });

  test('made without commands gets them with each trigger', async () => {
    const job = await create({ account_id: cloud.account, description: 'ad hoc', job_type: 'other' });
    expect(job).toMatchObject({ execute_steps: [], execution: { timeout_seconds: 0 } });
    const run = `/jobs/${job.id}/run`;
    await expectStatus(200, cloud.post(run, { steps_override: ['dbt parse'] }));
    const refused = await cloud.post(run, { cause: 'nothing to do' });
    expect(refused.body.status).toMatchObject({
      is_success: false,
      user_message: expect.stringMatching(/no commands: set its execute_steps/),
    });
  });

  test('is changed in part, and keeps the rest', async () => {
    const job = await create({ ...wholeJob(), settings: { threads: 2, target_name: 'dev' } });
    const changed = await change(job.id, {
      settings: { threads: 8 },
      execute_steps: ['dbt run'],
      execution: { timeout_seconds: 60 },
      description: null,
    });
    expect(changed).toEqual({
      ...job,
      settings: { threads: 8, target_name: 'dev' },
      execute_steps: ['dbt run'],
      execution: { timeout_seconds: 60 },
      updated_at: changed.updated_at,
    });
    expect(await change(job.id, { settings: { target_name: 'default' } })).toMatchObject({
      settings: { threads: 8, target_name: 'default' },
    });
  });

  /** As dagster does when it takes a job's schedule over. */
  test('stops acting on its schedule, which is still shown, and acts on it again', async () => {
    const job = await create(wholeJob());
    const off = await change(job.id, { ...job, triggers: { ...job.triggers, schedule: false } });
    expect(off).toMatchObject({ schedule: job.schedule, triggers: { schedule: false }, next_run: null });
    expect((await ourView(job.id)).schedule).toBeNull();
    const on = await change(job.id, { triggers: { schedule: true } });
    expect(on).toMatchObject({ schedule: job.schedule, triggers: { schedule: true } });
    expect((await ourView(job.id)).schedule).toMatchObject({ cron: '0 4 * * 1-5', timezone: 'UTC' });
  });

  test('keeps the timezone that it was given by other means until its times change', async () => {
    const job = await create({ execute_steps: ['dbt build'] });
    const { id } = await ourView(job.id);
    const schedule = { cron: '30 6 * * *', timezone: 'Europe/Berlin', missed: 'skip' };
    const path = `/api/v1/projects/${project.projectId}/jobs/${id}`;
    await expectStatus(200, system.call('PATCH', path, { schedule }));
    const { body } = await cloud.get(`/jobs/${job.id}`);
    expect(body.data).toMatchObject({
      schedule: { cron: '30 6 * * *', date: { type: 'custom_cron', cron: '30 6 * * *' } },
      triggers: { schedule: true },
    });
    await change(job.id, { ...body.data, description: 'other' });
    expect((await ourView(job.id)).schedule).toMatchObject(schedule);
    await change(job.id, { schedule: { cron: '0 7 * * *' } });
    expect((await ourView(job.id)).schedule).toMatchObject({
      cron: '0 7 * * *',
      timezone: 'UTC',
      missed: 'skip',
    });
  });

  test('that is deactivated takes no triggers until it is activated again', async () => {
    const job = await create({ execute_steps: ['dbt build'], deactivated: true });
    expect(job).toMatchObject({ deactivated: true, state: 1 });
    expect((await ourView(job.id)).enabled).toBe(false);
    for (const what of ['run', 'rerun'])
      expect((await cloud.post(`/jobs/${job.id}/${what}/`)).body.status).toMatchObject({
        code: 409,
        user_message: expect.stringContaining('set its deactivated to false'),
      });
    expect(await change(job.id, { ...job, description: 'resting' })).toMatchObject({ deactivated: true });
    expect(await change(job.id, { deactivated: false })).toMatchObject({ deactivated: false });
    await expectStatus(200, cloud.post(`/jobs/${job.id}/run/`));
  });

  test('runs when another one has ended', async () => {
    const first = await create({ execute_steps: ['dbt build'] });
    const condition = { condition: { job_id: first.id, project_id: cloud.project, statuses: [10, 20, 30] } };
    const second = await create({
      execute_steps: ['dbt test'],
      job_completion_trigger_condition: condition,
    });
    expect(second.job_completion_trigger_condition).toEqual(condition);
    expect((await ourView(second.id)).run_after).toMatchObject([
      { statuses: ['success', 'partial', 'failed', 'error'] },
    ]);
    expect(await change(second.id, { job_completion_trigger_condition: null })).toMatchObject({
      job_completion_trigger_condition: null,
    });
    expect((await ourView(second.id)).run_after).toEqual([]);
  });

  test('cannot run after itself, nor after one that runs after it; the answer names the field', async () => {
    const [first, second] = [await create({}), await create({})];
    const after = (id: number) => ({
      job_completion_trigger_condition: { condition: { job_id: id, statuses: [10] } },
    });
    await change(second.id, after(first.id));
    for (const [id, sentence] of [
      [first.id, 'A job does not run after itself.'],
      [second.id, 'That job runs after this one'],
    ]) {
      const { body } = await expectStatus(400, cloud.post(`/jobs/${first.id}/`, after(id)));
      const field = 'job_completion_trigger_condition.condition.job_id';
      expect(body.status.user_message).toContain(`${field}: ${sentence}`);
      expect(body.status.developer_message).toContain(`/${field.replaceAll('.', '/')}`);
      expect(JSON.stringify(body)).not.toContain('run_after');
    }
  });

  test('is deleted by its state or by its address, and is not there any more', async () => {
    const [one, other] = [await create({}), await create({})];
    expect(await change(one.id, { ...one, state: 2 })).toMatchObject({ id: one.id, state: 2 });
    const { body } = await expectStatus(200, cloud.delete(`/jobs/${other.id}/`));
    expect(body).toMatchObject({ status: { is_success: true }, data: { id: other.id, state: 2 } });
    for (const { id } of [one, other]) {
      for (const answer of [await cloud.get(`/jobs/${id}/`), await cloud.delete(`/jobs/${id}`)])
        expect(answer).toMatchObject({ status: 404, body: { status: { code: 404 }, data: null } });
    }
  });
});

test.each([
  ['a name', { name: undefined }, /name/],
  ['a name that is taken', { name: 'scheduled-run' }, /name/, 409],
  ['a project', { project_id: 999_999 }, /no such project/, 404],
  ['an environment', { environment_id: 999_999 }, /no such environment/, 404],
  ['another account', { account_id: 999_999 }, /account_id/],
  ['pull requests', { triggers: { github_webhook: true } }, /Pull requests/],
  ['merges', { triggers: { on_merge: true } }, /merges/],
  ['a type for pull requests', { job_type: 'ci' }, /job_type.*"scheduled" or "other"/],
  ['deferral', { deferring_environment_id: 7 }, /defer/],
  ['a version of dbt', { dbt_version: '1.9.0' }, /runner_image/],
  ['a linter', { run_lint: true }, /linter/],
  ['a comparison', { run_compare_changes: true }, /compared/],
  ['skipping', { cost_optimization_features: ['dbt_state'] }, /empty list/],
  ['webhooks of its own', { lifecycle_webhooks: true }, /subscription/],
  ['a field that is not known', { colour: 'red' }, /colour.*leave it out/],
  ['a field that is not known, deeper', { settings: { colour: 'red' } }, /colour.*leave it out/],
  ['a name that changes what objects are', { ['__proto__']: { name: 'x' } }, /__proto__.*leave it out/],
  [
    'a name that changes what objects are, deeper',
    { schedule: { date: { type: 'every_day', ['__proto__']: 1 } } },
    /schedule\/date\/__proto__.*leave it out/,
  ],
  ['more of a schedule', { schedule: { cron: '0 4 * * *', zone: 'UTC' } }, /schedule\/zone.*leave it out/],
  [
    'more of the days of a schedule',
    { schedule: { date: { type: 'every_day', weeks: [2] }, time: 'every_hour' } },
    /schedule\/date\/weeks.*leave it out/,
  ],
  [
    'more of the times of a schedule',
    { schedule: { date: 'every_day', time: { type: 'every_hour', minute: 7 } } },
    /schedule\/time\/minute.*leave it out/,
  ],
  [
    'a day that is none',
    { schedule: { date: { type: 'days_of_week', days: [9] } } },
    /days\/0: write 6 or less/,
  ],
  ['to be deleted', { state: 2 }, /state: 2 deletes a job/],
  ['another state', { state: 3 }, /state: write one of 1, 2/],
  ['one command without a list', { execute_steps: 'dbt build' }, /execute_steps: write a list/],
  ['no threads', { settings: { threads: 0 } }, /settings\/threads: write 1 or more/],
  [
    'a command that is none',
    { execute_steps: ['dbt build', 'make'] },
    /execute_steps.1: .*begins with the word dbt/,
  ],
  [
    'a schedule that is none',
    { execute_steps: ['dbt run'], schedule: { cron: 'daily' }, triggers: { schedule: true } },
    /five fields/,
  ],
  ['a schedule that is not there', { triggers: { schedule: true } }, /schedule/],
  [
    'a schedule of nothing',
    { execute_steps: [], schedule: { cron: '0 4 * * *' }, triggers: { schedule: true } },
    /commands that the schedule is to run/,
  ],
  ['text that cannot be stored', { compare_changes_flags: '\0' }, /compare_changes_flags.*NUL/],
  [
    'hours without end',
    { schedule: { time: { type: 'at_exact_hours', hours: Array(25).fill(1) } } },
    /hours/,
  ],
  [
    'errors alone of another job',
    { job_completion_trigger_condition: { condition: { job_id: 1, project_id: 1, statuses: [20] } } },
    /20 \(error\) and 30 \(cancelled\) together/,
  ],
  [
    'the end of a job that is not there',
    { job_completion_trigger_condition: { condition: { job_id: 999_999, project_id: 1, statuses: [10] } } },
    /condition\.job_id: give the id of a job/,
  ],
  [
    'more of the end of another job',
    { job_completion_trigger_condition: { condition: { job_id: 1, statuses: [10], branch: 'main' } } },
    /condition\/branch.*leave it out/,
  ],
])('a job that asks for %s is refused', async (_what, body, sentence, code = 400) => {
  const before = await cloud.get('/jobs/');
  const answer = await cloud.post('/jobs/', { name: named(), ...where(), ...body });
  expect(answer.body).toMatchObject({
    status: { code, is_success: false, user_message: expect.stringMatching(sentence) },
    data: null,
  });
  expect((await cloud.get('/jobs/')).text).toBe(before.text);
});

test('a job runs after one of the project that is named, or of the one it is in', async () => {
  const other = await asDbtCloud(system, await deployProject(system));
  const after = (project_id: number) => ({
    job_completion_trigger_condition: { condition: { job_id: other.job, project_id, statuses: [10] } },
  });
  for (const wrong of [cloud.project, 999_999]) {
    const { body } = await expectStatus(
      400,
      cloud.post('/jobs/', { name: named(), ...where(), ...after(wrong) }),
    );
    expect(body.status.user_message).toContain(
      `condition.project_id: job ${other.job} is in project ${other.project}`,
    );
  }
  const made = await create(after(other.project));
  expect(made).toMatchObject(after(other.project));
});

test('settings that a SQLMesh job has none of are refused by the names they were sent with', async () => {
  const shop = await deployProject(system, { type: 'sqlmesh', folder: sqlmeshExample });
  const sqlmesh = await asDbtCloud(system, shop);
  for (const [fields, sentence] of [
    [{ settings: { threads: 2 } }, /^settings\.threads is for dbt projects only/],
    [{ settings: { target_name: 'dev' } }, /^settings\.target_name is for dbt projects only/],
    [{ run_generate_sources: true }, /^run_generate_sources is for dbt projects only/],
  ] as const) {
    const answer = await sqlmesh.post(`/jobs/${sqlmesh.job}/`, fields);
    expect(answer.body.status).toMatchObject({ code: 400, user_message: expect.stringMatching(sentence) });
  }
  // What it does not do anyway may be sent.
  await expectStatus(200, sqlmesh.post(`/jobs/${sqlmesh.job}/run/`, { generate_docs_override: false }));
  const docs = await sqlmesh.post(`/jobs/${sqlmesh.job}/run/`, { generate_docs_override: true });
  expect(docs.body.status).toMatchObject({
    code: 400,
    user_message: expect.stringContaining('for dbt projects'),
  });
});

test('whoever may trigger may not change jobs', async () => {
  const operator = withToken(system, await insertToken(system, { scope: 'trigger' }));
  const path = `/api/v2/accounts/${cloud.account}/jobs/`;
  for (const [method, at] of [
    ['POST', path],
    ['POST', `${path}${cloud.job}/`],
    ['DELETE', `${path}${cloud.job}/`],
  ] as const)
    expect((await operator.call(method, at, method === 'POST' ? {} : undefined)).status).toBe(403);
});

test('jobs are listed by project, environment and name, in the order that is asked for', async () => {
  const other = await asDbtCloud(system, await deployProject(system));
  const create2 = (name: string) =>
    create({ name, project_id: other.project, environment_id: other.environment });
  const [b, a] = [await create2('list B'), await create2('list a')];
  const ids = async (query: string) =>
    (await cloud.get(`/jobs/?${query}`)).body.data.map((job: any) => job.id);
  const own = `project_id=${other.project}`;
  expect(await ids(own)).toEqual([other.job, b.id, a.id]);
  expect(await ids(`${own}&order_by=-id`)).toEqual([a.id, b.id, other.job]);
  expect(await ids(`${own}&name__icontains=LIST`)).toEqual([b.id, a.id]);
  expect(
    await ids(`project_id__in=[${other.project}]&environment_id=${other.environment}&limit=1&offset=1`),
  ).toEqual([b.id]);
  expect(await ids(`${own}&environment_id=${cloud.environment}`)).toEqual([]);
  expect(await ids(`${own}&state=2`)).toEqual([]);
  const { extra, data } = (await cloud.get(`/jobs/?${own}&limit=2&include_related=[environment]`)).body;
  expect(extra.pagination).toEqual({ count: 2, total_count: 3 });
  expect(data[0].environment).toMatchObject({ id: other.environment, name: 'production' });
});
