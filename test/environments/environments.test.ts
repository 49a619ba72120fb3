import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { insertToken, withToken } from '../support/organization.ts';
import { createJob, deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { connections } from './connections.ts';

let system: System;
let project: DeployedProject;
let path: string;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
  path = `/api/v1/projects/${project.projectId}/environments`;
});
afterAll(() => system.stop());

async function create(fields: Record<string, unknown> = {}): Promise<any> {
  const name = `environment-${Math.random().toString(36).slice(2)}`;
  return (await expectStatus(201, system.call('POST', path, { name, ...fields }))).body;
}

async function refused(status: number, method: string, where: string, body?: unknown) {
  const answer = await expectStatus(status, system.call(method, where, body));
  return { detail: answer.body.detail as string, pointer: answer.body.errors?.[0]?.pointer as string };
}

const auditOf = async (id: string) =>
  (
    await system.pool.query(
      'SELECT action, details, actor_name FROM audit_events WHERE subject_id = $1 ORDER BY created_at, id',
      [id],
    )
  ).rows;

const nothingSet = {
  runner_image: null,
  target: null,
  threads: null,
  env_vars: {},
  timeout_seconds: null,
  memory_mb: null,
  cpus: null,
  network: null,
  has_data_volume: true,
  connection: null,
};

describe('environments', () => {
  test('every project has production, and the others come after it, page by page', async () => {
    const made = [await create({ name: 'staging' }), await create({ name: 'ci' })];
    const first = await expectStatus(200, system.call('GET', `${path}?limit=2`));
    expect(first.body.data[0]).toMatchObject({
      id: project.environmentId,
      name: 'production',
      ...nothingSet,
    });
    expect(first.body.data[1]).toEqual(made[0]);
    const rest = await expectStatus(200, system.call('GET', `${path}?cursor=${first.body.next_cursor}`));
    expect(rest.body).toEqual({ data: [made[1]], next_cursor: null });
    expect((await expectStatus(200, system.call('GET', `${path}/${made[1].id}`))).body).toEqual(made[1]);
  });

  test('everything that can be set is stored and shown, and null takes it back', async () => {
    const settings = {
      runner_image: 'registry.example.com/dbt:1.11',
      target: 'ci',
      threads: 256,
      env_vars: { DBT_HOST: 'warehouse', DBT_PASSWORD: '', lower: 'a\nb' },
      timeout_seconds: 600,
      memory_mb: 512,
      cpus: 0.5,
      network: 'runs-of-a-team',
      has_data_volume: false,
      connection: null,
    };
    const { id, ...shown } = await create(settings);
    expect(shown).toMatchObject(settings);
    const cleared = { ...nothingSet, name: 'a new name' };
    const changed = await expectStatus(200, system.call('PATCH', `${path}/${id}`, cleared));
    expect(changed.body).toMatchObject(cleared);
    expect(await auditOf(id)).toEqual([
      expect.objectContaining({ action: 'environment.created' }),
      expect.objectContaining({
        action: 'environment.changed',
        details: { fields: expect.arrayContaining(['name', 'env_vars']) },
      }),
    ]);
  });

  test('a change of env_vars replaces them all, and leaves everything else', async () => {
    const { id } = await create({ env_vars: { A: '1', B: '2' }, threads: 3 });
    const changed = await expectStatus(200, system.call('PATCH', `${path}/${id}`, { env_vars: { B: '3' } }));
    expect(changed.body).toMatchObject({ env_vars: { B: '3' }, threads: 3 });
  });

  test('a name is used once in a project until its environment is deleted', async () => {
    const { id, name } = await create();
    const other = await create();
    for (const [method, where] of [
      ['POST', path],
      ['PATCH', `${path}/${other.id}`],
    ] as const) {
      expect(await refused(409, method, where, { name })).toMatchObject({
        detail: expect.stringMatching(/Choose/),
      });
    }
    await expectStatus(204, system.call('DELETE', `${path}/${id}`));
    await expectStatus(200, system.call('PATCH', `${path}/${other.id}`, { name }));
  });

  test('production is neither deleted nor renamed', async () => {
    const where = `${path}/${project.environmentId}`;
    expect((await refused(409, 'DELETE', where)).detail).toMatch(/production/);
    expect((await refused(400, 'PATCH', where, { name: 'prod' })).pointer).toBe('/name');
    await expectStatus(200, system.call('PATCH', where, { name: 'production' }));
  });

  test('one that a job names is not deleted; a deleted one is not found, and no job can name it', async () => {
    const { id } = await create();
    const jobId = await createJob(system, project.projectId, { environment_id: id });
    expect((await refused(409, 'DELETE', `${path}/${id}`)).detail).toMatch(/A job runs in this environment/);
    const job = `/api/v1/projects/${project.projectId}/jobs/${jobId}`;
    await expectStatus(200, system.call('PATCH', job, { environment_id: project.environmentId }));
    await expectStatus(200, system.call('PUT', `${path}/${id}/secrets/TOKEN`, { value: 'sealed' }));
    await expectStatus(204, system.call('DELETE', `${path}/${id}`));

    for (const [method, where] of [
      ['GET', `${path}/${id}`],
      ['PATCH', `${path}/${id}`],
      ['DELETE', `${path}/${id}`],
      ['GET', `${path}/${id}/secrets`],
      ['DELETE', `${path}/${id}/secrets/TOKEN`],
    ] as const)
      expect((await refused(404, method, where, method === 'GET' ? undefined : {})).detail).toBe(
        'There is no such environment.',
      );
    expect((await refused(400, 'PATCH', job, { environment_id: id })).pointer).toBe('/environment_id');
    const { rows } = await system.pool.query('SELECT 1 FROM environment_secrets WHERE environment_id = $1', [
      id,
    ]);
    expect(rows).toEqual([]);
    expect((await auditOf(id)).map(({ action }) => action)).toEqual([
      'environment.created',
      'secret.set',
      'environment.deleted',
    ]);
  });

  test('a job with the most time gets no more than its environment', async () => {
    const { id } = await create({ timeout_seconds: 7 });
    const jobId = await createJob(system, project.projectId, { environment_id: id, timeout_seconds: 600 });
    const trigger = `/api/v1/projects/${project.projectId}/jobs/${jobId}/trigger`;
    const { body } = await expectStatus(200, system.call('POST', trigger));
    const { rows } = await system.pool.query('SELECT settings FROM runs WHERE id = $1', [body.job_run_id]);
    expect(rows[0].settings.timeoutSeconds).toBe(7);
  });

  const manyVariables = (count: number, value: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, number) => [`A${number}`, value]));
  test.each([
    ['no thread', { threads: 0 }],
    ['more threads than a container has processes', { threads: 257 }],
    ['a timeout of nothing', { timeout_seconds: 0 }],
    ['a target that is an option', { target: '--profiles-dir' }],
    ['a target that dbt would render', { target: '{{ x }}' }],
    ["the host's network", { network: 'host' }],
    ['an image that is an option', { runner_image: '--privileged' }],
    ['a blank name', { name: ' ' }],
    ['a variable that is a number', { env_vars: { A: 1 } }],
    ['a variable with a NUL', { env_vars: { A: 'a\0b' } }],
    ['too many variables', { env_vars: manyVariables(101, '') }],
    ['a variable that is too long', { env_vars: { A: 'x'.repeat(32 * 1024 + 1) } }],
    ['variables that are too long together', { env_vars: manyVariables(5, 'x'.repeat(32_000)) }],
  ])('refuse %s', async (_, change) => {
    const { pointer, detail } = await refused(400, 'PATCH', `${path}/${project.environmentId}`, change);
    expect(pointer).toMatch(new RegExp(`^/${Object.keys(change)[0]}`));
    expect(detail.length).toBeLessThan(300);
  });
});

describe('names of variables and secrets', () => {
  const reserved =
    'DCTL_RUN_ID DBT_ENV_SECRET_DCTL_PASSWORD PATH HOME LD_PRELOAD PYTHONPATH BASH_ENV ENV IFS DBT_ENGINE_V2_PARSER DBT_PROFILES_DIR DBT_PROJECT_DIR DBT_PROFILE DBT_TARGET DBT_TARGET_PATH DBT_LOG_PATH DBT_STATE DBT_DEFER_STATE DBT_ARTIFACT_STATE_PATH DBT_PARTIAL_PARSE_FILE_PATH DBT_WRITE_JSON DBT_PACKAGES_INSTALL_PATH DBT_UPLOAD_TO_ARTIFACTS_INGEST_API';
  const malformed = ['1A', 'A-B', 'A B', 'Ä', 'A=B', 'x'.repeat(129)];

  test.each([...reserved.split(' '), ...malformed])(
    '%s is refused, with a sentence that says what to do',
    async (name) => {
      const environment = await create();
      const where = `${path}/${environment.id}`;
      const asVariable = await refused(400, 'PATCH', where, { env_vars: { [name]: 'x' } });
      expect(asVariable.pointer).toBe(`/env_vars/${name}`);
      expect(asVariable.detail).toMatch(/Choose another name|in place of this variable|Write a name/);
      const asSecret = await refused(400, 'PUT', `${where}/secrets/${encodeURIComponent(name)}`, {
        value: 'x',
      });
      expect(asVariable.detail).toContain(asSecret.detail);
    },
  );

  test.each(
    'DBT_ENV_SECRET_GIT_TOKEN DBT_ENV_CUSTOM_ENV_TEAM DBT_PASSWORD DBT_HOST SSL_CERT_FILE HTTPS_PROXY path _x'.split(
      ' ',
    ),
  )('%s is welcome', async (name) => {
    const environment = await create({ env_vars: { [name]: 'x' } });
    expect(environment.env_vars).toEqual({ [name]: 'x' });
    await expectStatus(200, system.call('PATCH', `${path}/${environment.id}`, { env_vars: {} }));
    await expectStatus(200, system.call('PUT', `${path}/${environment.id}/secrets/${name}`, { value: 'x' }));
  });

  test('one name is not both', async () => {
    const { id } = await create({ env_vars: { ONE: 'x' } });
    expect((await refused(409, 'PUT', `${path}/${id}/secrets/ONE`, { value: 'x' })).detail).toMatch(
      /env_vars/,
    );
    await expectStatus(200, system.call('PUT', `${path}/${id}/secrets/TWO`, { value: 'x' }));
    expect((await refused(400, 'PATCH', `${path}/${id}`, { env_vars: { TWO: 'x' } })).pointer).toBe(
      '/env_vars/TWO',
    );
  });
});

describe('secrets', () => {
  test('are shown by name, time and person, and never by value', async () => {
    const { id } = await create();
    const secrets = `${path}/${id}/secrets`;
    const answers = [
      await expectStatus(200, system.call('PUT', `${secrets}/B`, { value: 'planted-one' })),
      await expectStatus(200, system.call('PUT', `${secrets}/A`, { value: 'planted-two' })),
      await expectStatus(200, system.call('PUT', `${secrets}/B`, { value: 'planted-three' })),
      await expectStatus(200, system.call('GET', secrets)),
    ];
    const by = { updated_by: expect.any(String), updated_at: expect.stringMatching(/Z$/) };
    expect(answers[3]!.body).toEqual({
      data: [
        { name: 'A', ...by },
        { name: 'B', ...by },
      ],
      next_cursor: null,
    });
    expect(answers[3]!.body.data[1]).toEqual(answers[2]!.body);
    expect(answers.map(({ text }) => text).join()).not.toContain('planted');
    expect(await auditOf(id)).toEqual([
      expect.anything(),
      ...['B', 'A', 'B'].map((name) => expect.objectContaining({ action: 'secret.set', details: { name } })),
    ]);

    await expectStatus(204, system.call('DELETE', `${secrets}/B`));
    await expectStatus(404, system.call('DELETE', `${secrets}/B`));
    expect((await system.call('GET', secrets)).body.data).toEqual([{ name: 'A', ...by }]);
  });

  test('are gone with their project', async () => {
    const { projectId, environmentId } = await deployProject(system);
    const other = `/api/v1/projects/${projectId}/environments/${environmentId}`;
    await expectStatus(200, system.call('PUT', `${other}/secrets/A`, { value: 'planted' }));
    await expectStatus(200, system.call('PATCH', other, { connection: connections.databricks }));
    await expectStatus(204, system.call('DELETE', `/api/v1/projects/${projectId}`));
    const { rows } = await system.pool.query(
      `SELECT connection_secrets, (SELECT count(*)::int FROM environment_secrets WHERE environment_id = id) AS secrets
       FROM environments WHERE id = $1`,
      [environmentId],
    );
    expect(rows).toEqual([{ connection_secrets: null, secrets: 0 }]);
  });

  test('are written by admins alone', async () => {
    const { id } = await create();
    const reader = withToken(system, await insertToken(system, { scope: 'trigger' }));
    await expectStatus(403, reader.call('PUT', `${path}/${id}/secrets/A`, { value: 'x' }));
    await expectStatus(403, reader.call('DELETE', `${path}/${id}/secrets/A`));
    await expectStatus(403, reader.call('POST', path, { name: 'theirs' }));
    await expectStatus(200, reader.call('GET', `${path}/${id}/secrets`));
  });

  test.each([
    ['nothing', {}],
    ['an empty value', { value: '' }],
    ['a number', { value: 7 }],
    ['a value that is too long', { value: 'x'.repeat(32 * 1024 + 1) }],
    ['a field nobody knows', { value: 'x', more: 1 }],
  ])('are not set from %s', async (_, body) => {
    const { id } = await create();
    const { detail } = await refused(400, 'PUT', `${path}/${id}/secrets/A`, body);
    expect(detail.length).toBeLessThan(300);
  });
});
