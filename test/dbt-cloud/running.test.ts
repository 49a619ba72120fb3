import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { asDbtCloud, type DbtCloud } from '../support/dbt-cloud.ts';
import { deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

let system: System;
let project: DeployedProject;
let cloud: DbtCloud;

beforeAll(async () => {
  system = await startSystem();
  project = await deployProject(system);
  cloud = await asDbtCloud(system, project);
});
afterAll(() => system.stop());

async function run(body: object): Promise<any> {
  const { body: made } = await expectStatus(200, cloud.post(`/jobs/${cloud.job}/run/`, body));
  return ended(made.data.id);
}

const ended = (id: number): Promise<any> =>
  until(
    `run ${id} has ended`,
    async () => (await cloud.get(`/runs/${id}/?include_related=run_steps,debug_logs`)).body.data,
    (shown) => shown?.is_complete === true,
    90_000,
  );

test('a run of several commands ends with its steps, their logs and what each of them left', async () => {
  const shown = await run({
    cause: 'Triggered by a test',
    steps_override: ['dbt seed', 'dbt run --select stg_customers'],
    generate_docs_override: true,
  });
  expect(shown).toMatchObject({
    status: 10,
    status_message: null,
    has_docs_generated: true,
    dbt_version: expect.stringMatching(/^\d+\.\d+/),
  });
  const steps = shown.run_steps;
  expect(steps.map((step: any) => [step.index, step.status_humanized])).toEqual(
    [1, 2, 3, 4, 5, 6].map((index) => [index, 'Success']),
  );
  expect(steps[3]).toMatchObject({
    name: 'Invoke dbt with `dbt seed`',
    logs: expect.stringContaining('raw_customers'),
    debug_logs: expect.stringContaining('raw_customers'),
  });
  expect(steps[3].logs).not.toContain('stg_customers');
  expect(steps[4].logs).toContain('stg_customers');
  expect(steps.every((step: any) => step.logs !== '')).toBe(true);

  const at = `/runs/${shown.id}/artifacts`;
  const { body: paths } = await expectStatus(200, cloud.get(`${at}/`));
  expect(paths.data).toEqual(expect.arrayContaining(['manifest.json', 'run_results.json', 'catalog.json']));
  const nodesOf = async (query: string): Promise<string> => {
    const { text } = await expectStatus(200, cloud.get(`${at}/run_results.json${query}`));
    return JSON.parse(text)
      .results.map((result: any) => result.unique_id)
      .join(' ');
  };
  expect(await nodesOf('?step=4')).toMatch(/seed\.\S+raw_customers/);
  expect(await nodesOf('?step=5')).toMatch(/model\.\S+stg_customers/);
  expect(await nodesOf('?step=5')).not.toContain('raw_customers');
  expect((await cloud.get(`${at}/?step=2`)).body.data).toEqual([]);
  for (const missing of ['nothing.json', 'manifest.json?step=1', 'manifest.json?step=7'])
    expect((await cloud.get(`${at}/${missing}`)).body).toMatchObject({ status: { code: 404 }, data: null });

  const { body: environment } = await cloud.get(`/environments/${cloud.environment}`);
  expect(environment.data.dbt_version).toBe(shown.dbt_version);
  const { text } = await expectStatus(200, cloud.get(`/jobs/${cloud.job}/artifacts/manifest.json`));
  expect(JSON.parse(text).metadata.project_name).toBeDefined();
});

test('a run that fails says why with its step, and a rerun goes on from there', async () => {
  const shown = await run({ steps_override: ['dbt seed', 'dbt run-operation no_such_macro', 'dbt test'] });
  expect(shown).toMatchObject({
    status: 20,
    status_humanized: 'Error',
    status_message: expect.stringMatching(/\w/),
    can_retry: true,
  });
  expect(shown.run_steps.map((step: any) => step.status_humanized)).toEqual([
    'Success',
    'Success',
    'Success',
    'Success',
    'Error',
    'Skipped',
  ]);
  expect(shown.run_steps[4].logs).toContain('no_such_macro');

  const { body: rerun } = await expectStatus(200, cloud.post(`/jobs/${cloud.job}/rerun/`));
  expect(rerun.status.user_message).toContain(`goes on from where run ${shown.id} failed`);
  expect(rerun.data.run_steps.slice(3).map((step: any) => step.name)).toEqual([
    'Invoke dbt with `dbt run-operation no_such_macro`',
    'Invoke dbt with `dbt test`',
  ]);
  const { body: cancelled } = await expectStatus(200, cloud.post(`/runs/${rerun.data.id}/cancel/`));
  expect(cancelled.data.id).toBe(rerun.data.id);
  expect(await ended(rerun.data.id)).toMatchObject({ is_complete: true });
  const { body } = await cloud.get(`/runs/?job_definition_id=${cloud.job}&order_by=-id&limit=1`);
  expect(body.data[0].id).toBe(rerun.data.id);
});

test('of a log that is long the end is sent, and the answer says so', async () => {
  const { body: made } = await cloud.get(`/runs/?job_definition_id=${cloud.job}&limit=1`);
  const number = made.data[0].id;
  const { rows } = await system.pool.query('SELECT id, log_bytes::float8 FROM runs WHERE number = $1', [
    number,
  ]);
  const [{ id, log_bytes: from }] = rows;
  const line = 'x'.repeat(99);
  const more = Buffer.from(`${line}\n`.repeat(20_000));
  await system.pool.query('INSERT INTO log_chunks (run_id, starts_at, content) VALUES ($1, $2, $3)', [
    id,
    from,
    more,
  ]);
  await system.pool.query('UPDATE runs SET log_bytes = $2 WHERE id = $1', [id, from + more.length]);
  const { body } = await cloud.get(`/runs/${number}/?include_related=run_steps`);
  const { logs } = body.data.run_steps.at(-1);
  expect(logs.length).toBeLessThan(1_000_000);
  expect(logs).toMatch(/^\[The log is longer: these are its last \d+ bytes/);
  expect(logs.split('\n').at(-2)).toBe(line);
  expect((await cloud.get(`/runs/${number}/`)).body.data.run_steps.at(-1).logs).toBe('');
});
