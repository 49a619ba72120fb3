import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asDbtCloud, type DbtCloud } from '../support/dbt-cloud.ts';
import { insertToken, withToken } from '../support/organization.ts';
import { deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { rawRequest } from '../support/raw-request.ts';
import { addPerson, signIn } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;
let cloud: DbtCloud;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
  cloud = await asDbtCloud(system, project);
});
afterAll(() => system.stop());

const triggerRun = (body?: unknown, headers?: Record<string, string>) =>
  cloud.post(`/jobs/${cloud.job}/run/`, body, headers);

const settingsOf = async (number: number) =>
  (await system.pool.query('SELECT settings FROM runs WHERE number = $1', [number])).rows[0].settings;

const countRuns = async (): Promise<number> =>
  (await system.pool.query('SELECT count(*)::int FROM runs')).rows[0].count;

/** The run that the last test has left does not hold up the next one. */
async function endAll(status: string): Promise<void> {
  await system.pool.query(
    `UPDATE runs SET status = $1, status_reason = NULL, finished_at = now() WHERE status IN ('queued', 'running')`,
    [status],
  );
}

describe('a trigger', () => {
  test.each([
    ['no body', undefined],
    ['an empty object', {}],
    ['null', null],
    ['nulls alone', { cause: null, steps_override: null, git_sha: null, whatever: null }],
  ])('with %s runs the job as it is', async (_what, body) => {
    const { body: answer } = await expectStatus(200, triggerRun(body));
    expect(answer).toMatchObject({
      status: { code: 200, is_success: true },
      data: {
        status: 1,
        trigger: { cause: '', steps_override: null },
        job: { id: cloud.job, triggers: { schedule: false } },
      },
    });
    const { steps, overrides } = await settingsOf(answer.data.id);
    expect([steps.map((step: any) => step.command), overrides]).toEqual([['dbt build'], null]);
  });

  test('with an empty body that says it is JSON does as well', async () => {
    const path = `/api/v2/accounts/${cloud.account}/jobs/${cloud.job}/run`;
    const headers = { 'content-type': 'application/json', 'content-length': 0 };
    expect((await rawRequest(system, 'POST', path, { headers })).status).toBe(200);
  });

  test('takes all overrides, and shows them with the run', async () => {
    const given = {
      cause: 'Triggered via Apache Airflow',
      steps_override: ['dbt seed', 'dbt run --select orders'],
      target_name_override: 'dev',
      threads_override: '2',
      timeout_seconds_override: 900,
      generate_docs_override: true,
    };
    const { body } = await expectStatus(
      200,
      triggerRun({ ...given, account_id: cloud.account, job_id: cloud.job, schema_override: null }),
    );
    expect(body.data.trigger).toMatchObject({ ...given, threads_override: 2, cause_category: 'api' });
    expect(body.data.run_steps.map((step: any) => step.name).slice(3)).toEqual([
      'Invoke dbt with `dbt seed`',
      'Invoke dbt with `dbt run --select orders`',
      'Invoke dbt with `dbt docs generate`',
    ]);
    const settings = await settingsOf(body.data.id);
    expect(settings.timeoutSeconds).toBe(900);
    expect(settings.steps[1].argv).toEqual(
      expect.arrayContaining(['run', '--select', 'orders', '--target', 'dev', '--threads', '2']),
    );
  });

  test('calls the target of dbt Cloud that is none the environment’s', async () => {
    const { body } = await expectStatus(200, triggerRun({ target_name_override: 'default' }));
    expect((await settingsOf(body.data.id)).steps[0].argv).toEqual(['build']);
  });

  test('keeps the beginning of a cause that is too long', async () => {
    const { body } = await expectStatus(200, triggerRun({ cause: 'x'.repeat(3_000) }));
    expect(body.data.trigger.cause).toBe('x'.repeat(1_000));
  });

  test('that is repeated with its Idempotency-Key makes one run', async () => {
    const key = { 'idempotency-key': 'dag-1' };
    const [first, again] = [
      await triggerRun({ cause: 'once' }, key),
      await triggerRun({ cause: 'once' }, key),
    ];
    expect(again.body.data.id).toBe(first.body.data.id);
    const other = await triggerRun({ cause: 'once', threads_override: 3 }, key);
    expect(other).toMatchObject({ status: 422, body: { status: { code: 422 } } });
  });

  test('takes the dbt version that the environment runs, and no other', async () => {
    const wanted = { dbt_version_override: '1.11.16' };
    expect((await triggerRun(wanted)).body.status).toMatchObject({
      code: 400,
      user_message: expect.stringMatching(/runner_image/),
    });
    await system.pool.query(
      `INSERT INTO run_steps (run_id, number, status, started_at, program_version)
       SELECT id, 1, 'success', now(), '1.11.16' FROM runs ORDER BY created_at DESC LIMIT 1`,
    );
    await expectStatus(200, triggerRun(wanted));
    expect((await triggerRun({ dbt_version_override: 'latest' })).body.status.user_message).toMatch(
      /1\.11\.16/,
    );
  });
});

test.each([
  ['a commit', { git_sha: 'abc' }, /git_sha.*deploy/],
  ['a branch', { git_branch: 'main' }, /git_branch.*deploy/],
  ['a pull request', { github_pull_request_id: 7 }, /pull request/],
  ['a merge request', { gitlab_merge_request_id: 7 }, /pull request/],
  ['something that is not known', { colour: 'red' }, /colour.*leave it out/],
  ['no steps at all', { steps_override: [] }, /steps_override.*at least one/],
  ['a step that is no command', { steps_override: ['dbt build', 'rm -rf /'] }, /begins with the word dbt/],
  ['a step with a shell in it', { steps_override: ['dbt build; dbt test'] }, /;/],
  ['threads in words', { threads_override: 'four' }, /threads_override.*whole number/],
  ['more threads than there may be', { threads_override: 1_000 }, /threads_override.*128/],
  ['no time at all', { timeout_seconds_override: 0 }, /timeout_seconds_override.*from 1/],
  ['a target that is no name', { target_name_override: 'a b' }, /target_name_override.*target/],
  ['a schema where the project brings its profile', { schema_override: 'pr_7' }, /connection/],
  ['another account', { account_id: 999 }, /account_id/],
  ['docs in words', { generate_docs_override: 'yes' }, /generate_docs_override.*true or false/],
  ['a list', [], /object/],
])('a trigger that asks for %s is refused, and leaves no run', async (_what, body, sentence) => {
  const before = await countRuns();
  const answer = await triggerRun(body);
  expect(answer.body).toMatchObject({
    status: { code: 400, is_success: false, user_message: expect.stringMatching(sentence) },
    data: null,
  });
  expect(await countRuns()).toBe(before);
});

describe('cancelling', () => {
  test('ends a run that waits, whatever comes as the body', async () => {
    for (const body of [undefined, null]) {
      const { body: made } = await triggerRun();
      const { body: cancelled } = await expectStatus(200, cancel('POST', made.data.id, body));
      expect(cancelled.data).toMatchObject({ id: made.data.id, status: 30, status_humanized: 'Cancelled' });
    }
  });

  test('with a GET is for tokens alone', async () => {
    const { body: made } = await triggerRun();
    const path = `/api/v2/accounts/${cloud.account}/runs/${made.data.id}`;
    const browser = await signIn(system, await addPerson(system, 'admin'));
    for (const what of ['cancel', 'retry']) {
      const refused = await browser.call('GET', `${path}/${what}`);
      expect(refused).toMatchObject({ status: 403, body: { status: { code: 403 } } });
    }
    const headers = { authorization: `Bearer ${system.token}` };
    const looked = await fetch(`${system.url}${path}/cancel`, { method: 'HEAD', headers });
    expect([looked.status, looked.headers.get('allow')]).toEqual([405, 'GET']);
    expect((await cloud.get(`/runs/${made.data.id}`)).body.data.status).toBe(1);
    const reader = withToken(system, await insertToken(system, { scope: 'read' }));
    expect((await reader.call('GET', `${path}/cancel`)).status).toBe(403);
    expect((await cloud.get(`/runs/${made.data.id}/cancel`)).body.data.status).toBe(30);
  });

  test('comes too late for a run that has ended', async () => {
    const { body: made } = await triggerRun();
    await endAll('success');
    expect((await cancel('POST', made.data.id)).body.status).toMatchObject({ code: 409, is_success: false });
  });

  const cancel = (method: string, id: number, body?: unknown) =>
    system.call(method, `/api/v2/accounts/${cloud.account}/runs/${id}/cancel/`, body);
});

describe('running again', () => {
  const rerun = (headers?: Record<string, string>) =>
    cloud.post(`/jobs/${cloud.job}/rerun/`, undefined, headers);
  const retry = (id: number) => cloud.post(`/runs/${id}/retry/`);
  const made = async (status: string): Promise<number> => {
    const { body } = await triggerRun();
    await endAll(status);
    return body.data.id;
  };

  test('a job goes on from its last run when that failed, and the answer says so', async () => {
    const failed = await made('failed');
    const { body } = await expectStatus(200, rerun());
    expect(body.data).toMatchObject({ retrying_run_id: failed, trigger: { cause_category: 'rerun' } });
    expect(body.data.job.id).toBe(cloud.job);
    expect(body.status.user_message).toBe(`Run ${body.data.id} goes on from where run ${failed} failed.`);
  });

  test('a job begins anew when its last run ended with success, or has not ended', async () => {
    for (const [prepare, sentence] of [
      [() => made('success'), /ended with success/],
      [() => triggerRun(), /has not come to its end/],
    ] as const) {
      await prepare();
      const { body } = await expectStatus(200, rerun());
      expect(body.data).toMatchObject({ retrying_run_id: null, status: 1 });
      expect(body.status.user_message).toMatch(sentence);
    }
  });

  test('a rerun that is repeated with its Idempotency-Key makes one run', async () => {
    await made('failed');
    const key = { 'idempotency-key': 'rerun-1' };
    const [first, again] = [await rerun(key), await rerun(key)];
    expect(again.body.data.id).toBe(first.body.data.id);
  });

  test.each([
    ['run', 'rerun'],
    ['run', 'retry'],
    ['rerun', 'run'],
    ['rerun', 'retry'],
    ['retry', 'run'],
    ['retry', 'rerun'],
  ] as const)('a key of a %s is not taken by a %s', async (first, second) => {
    const last = await made('success');
    const headers = { 'idempotency-key': `${first}-then-${second}` };
    const paths = {
      run: `/jobs/${cloud.job}/run/`,
      rerun: `/jobs/${cloud.job}/rerun/`,
      retry: `/runs/${last}/retry/`,
    };
    const asked = (what: keyof typeof paths) => cloud.post(paths[what], undefined, headers);
    const { body } = await expectStatus(200, asked(first));
    const before = await countRuns();
    expect(await asked(second)).toMatchObject({ status: 422, body: { status: { code: 422 }, data: null } });
    expect((await expectStatus(200, asked(first))).body.data.id).toBe(body.data.id);
    expect(await countRuns()).toBe(before);
  });

  test('a run that failed is gone on with, one that ended with success is run anew', async () => {
    const failed = await made('failed');
    expect((await expectStatus(200, retry(failed))).body.data.retrying_run_id).toBe(failed);
    expect((await retry(failed)).body.status).toMatchObject({ code: 409 });
    const succeeded = await made('success');
    const { body } = await expectStatus(200, retry(succeeded));
    expect(body.data.retrying_run_id).toBeNull();
    expect(body.status.user_message).toMatch(/does all of it again/);
  });

  test('a run that ended with success is run anew with what it was asked for', async () => {
    const wanted = { steps_override: ['dbt seed'], threads_override: 2 };
    const { body: made } = await triggerRun(wanted);
    await endAll('success');
    const { body } = await expectStatus(200, retry(made.data.id));
    expect(body.data.trigger).toMatchObject(wanted);
  });

  test('takes nothing that would be of no effect', async () => {
    const failed = await made('failed');
    for (const path of [`/jobs/${cloud.job}/rerun`, `/runs/${failed}/retry`]) {
      const answer = await cloud.post(path, { steps_override: ['dbt seed'] });
      expect(answer).toMatchObject({
        status: 400,
        body: { status: { user_message: expect.stringContaining('steps_override') } },
      });
      await expectStatus(200, cloud.post(path, { cause: null }));
      await endAll('success');
    }
  });
});
