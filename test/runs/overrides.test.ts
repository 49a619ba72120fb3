import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { readConfig } from '../../src/config.ts';
import type { Context } from '../../src/context.ts';
import { openContext } from '../../src/open-context.ts';
import type { RunOverrides, TriggerRequest } from '../../src/runs/schema.ts';
import { openTrigger } from '../../src/runs/trigger.ts';
import { createJob, ended, expectStatus, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { deployTelling, told } from './telling.ts';

let system: System;
let project: DeployedProject;
let context: Context & { close(): Promise<void> };

beforeAll(async () => {
  system = await startSystem({ workers: 0, environment: { DCTL_WORKER_CONCURRENCY: '2' } });
  context = openContext(readConfig(system.environment), pino({ level: 'silent' }));
  project = await deployTelling(system);
});
afterAll(async () => {
  await context.close();
  await system.stop();
});

const tell = 'dbt run-operation tell';
const none: RunOverrides = {
  steps: null,
  schema: null,
  target: null,
  threads: null,
  timeoutSeconds: null,
  generateDocs: null,
};

describe('a run is recorded', () => {
  test('with the commands that its job puts before and after its own', async () => {
    const jobId = await jobWith({
      commands: ['dbt deps', 'dbt build --target dev'],
      target: 'staging',
      threads: 3,
      generate_docs: true,
      generate_sources: true,
    });
    const { steps } = await settingsOf(await begin(jobId));
    expect(steps).toEqual([
      {
        command: 'dbt source freshness',
        argv: 'source freshness --threads 3 --target staging'.split(' '),
        mayFail: true,
      },
      { command: 'dbt deps', argv: ['deps', '--target', 'staging'] },
      { command: 'dbt build --target dev', argv: 'build --threads 3 --target dev'.split(' ') },
      { command: 'dbt docs generate', argv: 'docs generate --threads 3 --target staging'.split(' ') },
    ]);
  });

  test('with one command alone, in the manner of the job, where that was asked for', async () => {
    const jobId = await jobWith({ target: 'staging', generate_docs: true, generate_sources: true });
    const { steps } = await settingsOf(await begin(jobId, {}, { command_override: 'dbt ls' }));
    expect(steps).toEqual([{ command: 'dbt ls', argv: ['ls', '--target', 'staging'] }]);
  });

  test('with what was asked for it alone, and says so', async () => {
    const jobId = await jobWith({ target: 'dev', threads: 3, generate_docs: true, timeout_seconds: 100 });
    const overrides = {
      steps: ['dbt seed', 'dbt run --threads 2'],
      target: 'staging',
      threads: 7,
      timeoutSeconds: 200,
      generateDocs: false,
    };
    const runId = await begin(jobId, overrides);
    expect(await settingsOf(runId)).toMatchObject({
      steps: [
        { command: 'dbt seed', argv: 'seed --threads 7 --target staging'.split(' ') },
        { command: 'dbt run --threads 2', argv: 'run --target staging --threads 2'.split(' ') },
      ],
      timeoutSeconds: 200,
      overrides: { ...none, ...overrides },
    });
    const { body } = await system.call('GET', `/api/v1/runs/${runId}`);
    expect(body).toMatchObject({ command: tell, command_override: 'dbt seed && dbt run --threads 2' });
  });

  test('of a job without commands only with commands of its own', async () => {
    const jobId = await jobWith({ generate_sources: true });
    await system.pool.query("UPDATE jobs SET commands = '{}' WHERE id = $1", [jobId]);
    const path = `/api/v1/projects/${project.projectId}/jobs/${jobId}/trigger`;
    const refused = await system.call('POST', path);
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('no commands') } });
    const { steps } = await settingsOf(await begin(jobId, { steps: ['dbt parse'] }));
    expect(steps.slice(1)).toEqual([{ command: 'dbt parse', argv: ['parse'] }]);
  });

  test.each<[Partial<RunOverrides>, string, RegExp]>([
    [{ steps: [] }, '/steps_override', /1 to 20 commands/],
    [{ steps: ['dbt build', 'dbt init'] }, '/steps_override/1', /init/],
    [{ schema: 'elsewhere' }, '/schema_override', /environment with a connection/],
    [{ target: 'a b' }, '/target_name_override', /plain name/],
    [{ threads: 129 }, '/threads_override', /whole number from 1 to 128/],
    [{ threads: 1.5 }, '/threads_override', /whole number from 1 to 128/],
    [{ timeoutSeconds: 0 }, '/timeout_seconds_override', /whole number from 1 to 900/],
    [{ timeoutSeconds: 901 }, '/timeout_seconds_override', /whole number from 1 to 900/],
  ])('not with %j', async (overrides, pointer, detail) => {
    const environment = await environmentWith({ timeout_seconds: 900 });
    const jobId = await jobWith({ environment_id: environment });
    const problem = { pointer, detail: expect.stringMatching(detail) };
    await expect(begin(jobId, overrides)).rejects.toMatchObject({ status: 400, problems: [problem] });
    const { rowCount } = await system.pool.query('SELECT 1 FROM runs WHERE job_id = $1', [jobId]);
    expect(rowCount).toBe(0);
  });

  test('not with a schema that a profile cannot hold', async () => {
    const jobId = await jobWith({ environment_id: await withConnection() });
    const problem = { pointer: '/schema_override', detail: expect.stringContaining('plain name') };
    // dbt would put the second into its own SQL as it stands.
    for (const schema of ['{{ 1 }}', 'x"; drop table orders; --', "x'", 'x.y', ' ', '\u2028'])
      await expect(begin(jobId, { schema })).rejects.toMatchObject({ status: 400, problems: [problem] });
    expect((await settingsOf(await begin(jobId, { schema: 'pr_7' }))).overrides.schema).toBe('pr_7');
  });

  test('not in several targets where a profile is made, which has one', async () => {
    const jobId = await jobWith({ environment_id: await withConnection() });
    const steps = ['dbt run --target a', 'dbt test'];
    await expect(begin(jobId, { steps, target: 'b' })).rejects.toThrow(/several targets \(a, b\)/);
    expect((await settingsOf(await begin(jobId, { steps }))).environment.target).toBe('a');
  });

  test('in the place of one that waits only where the same was asked for', async () => {
    const jobId = await jobWith({ replace_queued: true });
    const plain = await begin(jobId);
    const elsewhere = await begin(jobId, { timeoutSeconds: 60 });
    const again = await begin(jobId, { timeoutSeconds: 60 });
    const { rows } = await system.pool.query(
      'SELECT id, replaced_by FROM runs WHERE job_id = $1 ORDER BY created_at, id',
      [jobId],
    );
    expect(rows).toEqual([
      { id: plain, replaced_by: null },
      { id: elsewhere, replaced_by: again },
      { id: again, replaced_by: null },
    ]);
  });

  test('not twice for one key, unless something else is asked for', async () => {
    const jobId = await jobWith({});
    const key = 'once';
    const first = await begin(jobId, { threads: 2 }, {}, key);
    expect(await begin(jobId, { threads: 2 }, {}, key)).toBe(first);
    await expect(begin(jobId, { threads: 3 }, {}, key)).rejects.toMatchObject({ code: 'key_reused' });
    await expect(begin(jobId, {}, {}, key)).rejects.toMatchObject({ code: 'key_reused' });
  });
});

describe('a worker', () => {
  beforeAll(async () => {
    // What was only to be recorded.
    for (const { id } of (await system.call('GET', '/api/v1/runs?status=queued')).body.data) {
      await expectStatus(200, system.call('POST', `/api/v1/runs/${id}/cancel`));
    }
    await system.startWorker();
  });

  test('runs what was asked for this run alone, in the target and the schema that were asked for', async () => {
    const environment = await withConnection();
    const jobId = await jobWith({ environment_id: environment, target: 'green', generate_docs: true });
    const overrides = { steps: [tell, 'dbt run'], schema: 'elsewhere', target: 'blue', threads: 7 };
    const run = await ended(system, await begin(jobId, overrides));
    expect(run).toMatchObject({ status: 'partial', nodes_succeeded: 2, nodes_failed: 1 });
    expect(run.steps.map(({ command, status }: any) => [command, status])).toEqual([
      [tell, 'success'],
      ['dbt run', 'failed'],
      ['dbt docs generate', 'skipped'],
    ]);
    expect(await told(system, run.id)).toMatchObject([{ target: 'blue', schema: 'elsewhere', threads: 7 }]);

    const retry = await expectStatus(200, system.call('POST', `/api/v1/runs/${run.id}/retry`, {}));
    const retried = await ended(system, retry.body.job_run_id);
    expect(retried.steps[0].command).toBe('dbt retry --target blue');
    expect(retried).toMatchObject({ status: 'failed', command_override: run.command_override });
    const { body } = await system.call('GET', `/api/v1/runs/${retried.id}/artifacts/run_results.json`);
    expect(body.results).toMatchObject([{ relation_name: '"memory"."elsewhere"."broken"' }]);
    expect(body.args).toMatchObject({ target: 'blue' });
  });

  test('takes what was prepared for the target of the job, be it of a generated profile or of its own', async () => {
    for (const fields of [
      { environment_id: await withConnection(), target: 'blue' },
      { target: 'staging' },
    ]) {
      const jobId = await jobWith({ ...fields, command: 'dbt run --select one', threads: 3 });
      const first = await ended(system, await begin(jobId));
      expect(first).toMatchObject({ status: 'success' });
      await until(
        'it is prepared',
        async () =>
          (
            await system.pool.query(
              `SELECT state FROM preparations JOIN jobs USING (environment_id)
               WHERE jobs.id = $1 AND options = ARRAY['--target', $2::text]`,
              [jobId, fields.target],
            )
          ).rows,
        ([made]) => made?.state === 'ready',
        30_000,
      );
      const second = await ended(system, await begin(jobId));
      const { rows } = await system.pool.query('SELECT preparation_id FROM runs WHERE id = $1', [second.id]);
      expect(rows[0].preparation_id).not.toBeNull();
    }
  });

  test('tells the project of the run', async () => {
    const jobId = await jobWith({ environment_id: await environmentWith({ name: 'shop' }) });
    const cause = 'orders came "late" 🚚';
    const metadata = { table: 'raw.orders', 'is full': true };
    const run = await ended(system, await begin(jobId, {}, { cause, metadata }));
    const [{ variables }] = await told(system, run.id);
    const { rows } = await system.pool.query(
      `SELECT organizations.number AS account, projects.number AS project, environments.number AS environment,
        jobs.number AS job, runs.number AS run
      FROM runs JOIN jobs ON jobs.id = job_id JOIN projects ON projects.id = runs.project_id
      JOIN organizations ON organizations.id = runs.organization_id
      JOIN environments ON environments.id = runs.environment_id WHERE runs.id = $1`,
      [run.id],
    );
    const [numbers] = rows;
    expect(variables).toEqual({
      DBT_CLOUD_ACCOUNT_ID: numbers.account,
      DBT_CLOUD_PROJECT_ID: numbers.project,
      DBT_CLOUD_ENVIRONMENT_ID: numbers.environment,
      DBT_CLOUD_JOB_ID: numbers.job,
      DBT_CLOUD_RUN_ID: numbers.run,
      DBT_CLOUD_ENVIRONMENT_NAME: 'shop',
      DBT_CLOUD_RUN_REASON: cause,
      DBT_CLOUD_RUN_REASON_CATEGORY: 'other',
      DBT_CLOUD_INVOCATION_CONTEXT: 'prod',
      DCTL_CAUSE: cause,
      DCTL_METADATA_TABLE: 'raw.orders',
      DCTL_METADATA_IS_FULL: 'true',
    });
  });
});

const jobWith = (fields: Record<string, unknown>) =>
  createJob(system, project.projectId, {
    ...(fields['commands'] === undefined ? { command: tell } : { command: undefined }),
    max_parallel_runs: 4,
    ...fields,
  });

async function environmentWith(fields: Record<string, unknown>): Promise<string> {
  const path = `/api/v1/projects/${project.projectId}/environments`;
  const name = `environment-${Math.random().toString(36).slice(2)}`;
  return (await expectStatus(201, system.call('POST', path, { name, ...fields }))).body.id;
}

const withConnection = () => environmentWith({ connection: { type: 'duckdb', path: ':memory:' } });

/** Triggers the job as an API of another shape does, and returns the run's id. */
async function begin(
  jobId: string,
  overrides: Partial<RunOverrides> = {},
  request: TriggerRequest = {},
  idempotencyKey?: string,
): Promise<string> {
  const { organizationId } = system;
  const actor = { kind: 'token' as const, id: null, name: 'a client' };
  const triggered = await openTrigger(context)(
    { organizationId, actor, scope: 'trigger' },
    { projectId: project.projectId, jobId },
    request,
    { triggeredBy: 'api', idempotencyKey, overrides: { ...none, ...overrides } },
  );
  return triggered.job_run_id;
}

async function settingsOf(runId: string): Promise<any> {
  const { rows } = await system.pool.query('SELECT settings FROM runs WHERE id = $1', [runId]);
  return rows[0].settings;
}
