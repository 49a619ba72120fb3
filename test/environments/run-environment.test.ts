import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { watchCreatedContainers } from '../support/created-containers.ts';
import {
  createJob,
  deployProject,
  ended,
  expectStatus,
  trigger,
  type DeployedProject,
} from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { connections } from './connections.ts';

let system: System;
let project: DeployedProject;
let path: string;
let created: Awaited<ReturnType<typeof watchCreatedContainers>>;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  created = await watchCreatedContainers(system.docker);
  project = await deployProject(system, { folder: join(import.meta.dirname, 'leaky') });
  path = `/api/v1/projects/${project.projectId}/environments`;
});
afterAll(async () => {
  created.close();
  await system.stop();
});

const names = "{names: ['PLAIN', 'DBT_PASSWORD', 'HOME']}";
const tell = `dbt run-operation tell --args "${names}"`;

/** A job in a new environment, with these secrets. */
async function jobIn(fields: Record<string, unknown>, secrets: Record<string, string> = {}, command = tell) {
  const name = (fields['name'] as string | undefined) ?? randomBytes(4).toString('hex');
  const { body } = await expectStatus(201, system.call('POST', path, { name, ...fields }));
  const environment = `${path}/${body.id}`;
  for (const [secret, value] of Object.entries(secrets))
    await expectStatus(200, system.call('PUT', `${environment}/secrets/${secret}`, { value }));
  const jobId = await createJob(system, project.projectId, { command, environment_id: body.id });
  return { ...project, jobId, environmentId: body.id as string, environment };
}

const logOf = async (runId: string) => (await system.call('GET', `/api/v1/runs/${runId}/logs`)).text;

/** What the macro printed. */
async function told(runId: string): Promise<any> {
  const run = await ended(system, runId);
  const line = (await logOf(runId)).split('\n').find((each) => each.includes('"told"'));
  if (line === undefined) throw new Error(`nothing was told: ${JSON.stringify(run)} ${await logOf(runId)}`);
  return JSON.parse(line);
}

test('a run whose secret the server can no longer open ends at once, and names the secret and the key', async () => {
  const withSecret = await jobIn({ name: 'shop' }, { API_KEY: 'planted-value' });
  const withPassword = await jobIn({ name: 'bank', connection: connections.postgres });
  const runs = [await trigger(system, withSecret), await trigger(system, withPassword)] as const;
  const worker = await system.startWorker({ DCTL_SECRET_KEY: randomBytes(32).toString('base64') });
  const [first, second] = [await ended(system, runs[0]), await ended(system, runs[1])];
  for (const run of [first, second])
    expect(run).toMatchObject({ status: 'error', status_reason: 'could_not_start', nodes_done: 0 });
  expect(first.error_message).toMatch(/^The secret API_KEY of the environment "shop" .*DCTL_SECRET_KEY/);
  expect(second.error_message).toMatch(
    /^The connection's secret of the environment "bank" .*DCTL_SECRET_KEY/,
  );
  expect(runs.flatMap((runId) => created.of(runId))).toEqual([]);
  worker.signal('SIGTERM');
  await worker.ended;
});

test('a run is not handed the password of a warehouse it was not recorded for', async () => {
  const job = await jobIn({ connection: connections.postgres });
  const runId = await trigger(system, job);
  const connection = { ...connections.postgres, host: 'other.example.com' };
  await expectStatus(200, system.call('PATCH', job.environment, { connection }));
  await system.startWorker();
  const run = await ended(system, runId);
  expect(run).toMatchObject({ status: 'error', status_reason: 'could_not_start' });
  expect(run.error_message).toMatch(
    /connection .* was changed after this run was recorded: trigger the job again/,
  );
});

test("a run has its environment's variables, secrets and threads, and the target of the project's own profile", async () => {
  const env_vars = { PLAIN: `it's "plain" {{ 1 }} $HOME \\` };
  const job = await jobIn({ env_vars, target: 'staging', threads: 7 }, { DBT_PASSWORD: 'a-secret-value' });
  expect(await told(await trigger(system, job))).toMatchObject({
    target: 'staging',
    profile: 'leaky',
    threads: 7,
    variables: { PLAIN: env_vars.PLAIN, DBT_PASSWORD: '*****', HOME: '/tmp' },
  });
});

test('a secret that is changed is the new one in the next run, and one that is deleted is gone', async () => {
  const job = await jobIn({}, { PLAIN: 'short', DBT_PASSWORD: 'gone' });
  await expectStatus(200, system.call('PUT', `${job.environment}/secrets/PLAIN`, { value: 'newer' }));
  await expectStatus(204, system.call('DELETE', `${job.environment}/secrets/DBT_PASSWORD`));
  const { variables } = await told(await trigger(system, job));
  expect(variables).toMatchObject({ PLAIN: 'newer', DBT_PASSWORD: 'none' });
});

test('a connection to DuckDB takes the place of the profile that the project brings', async () => {
  const job = await jobIn({
    name: 'nightly build',
    threads: 3,
    connection: { ...connections.duckdb, extensions: [] },
  });
  expect(await told(await trigger(system, job))).toMatchObject({
    target: 'nightly_build',
    type: 'duckdb',
    schema: 'main',
    profile: 'dctl',
    threads: 3,
  });
  const volume = await system.docker.getVolume(`dctl-data-${job.environmentId}`).inspect();
  expect(volume.Labels).toMatchObject({ 'dctl.environment_id': job.environmentId });
});

test('what dbt parsed in an environment is not handed to a run in another', async () => {
  const env_vars = { PLAIN: 'one' };
  const first = await jobIn({ env_vars }, {}, 'dbt ls');
  const second = await jobIn({ env_vars }, {}, 'dbt ls');
  const parsesInPart = async (job: DeployedProject) => {
    const runId = await trigger(system, job);
    expect(await ended(system, runId)).toMatchObject({ status: 'success' });
    return !/Unable to do partial parsing/.test(await logOf(runId));
  };
  expect(await parsesInPart(first)).toBe(false);
  const deployments = `/api/v1/projects/${first.projectId}/deployments`;
  await until(
    'it is prepared for that environment',
    async () => (await system.call('GET', deployments)).body.data[0].preparations,
    (preparations) =>
      preparations.some((each: any) => each.environment_id === first.environmentId && each.state === 'ready'),
    // After those of the environments before it.
    150_000,
  );
  expect([await parsesInPart(first), await parsesInPart(second)]).toEqual([true, false]);
}, 240_000);

test('without a data volume nothing is mounted at /data', async () => {
  const job = await jobIn({ has_data_volume: false, connection: { type: 'duckdb', path: ':memory:' } });
  expect(await told(await trigger(system, job))).toMatchObject({ type: 'duckdb' });
  await expect(system.docker.getVolume(`dctl-data-${job.environmentId}`).inspect()).rejects.toThrow(
    /no such volume/,
  );
});
