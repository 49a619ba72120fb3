import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSecrets } from '../../src/secrets.ts';
import { deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { secretsIn, storedText } from '../support/stored-text.ts';
import { startSystem, type System } from '../support/system.ts';
import { connections, privateKey } from './connections.ts';

let system: System;
let project: DeployedProject;
let path: string;
const answers: string[] = [];

beforeAll(async () => {
  system = await startSystem({ workers: 0, environment: { DCTL_LOG_LEVEL: 'debug' } });
  project = await deployProject(system);
  path = `/api/v1/projects/${project.projectId}/environments`;
});
afterAll(() => system.stop());

async function create(connection: unknown): Promise<{ path: string; id: string; connection: any }> {
  const name = `environment-${Math.random().toString(36).slice(2)}`;
  const { body } = await expectStatus(201, system.call('POST', path, { name, connection }));
  answers.push(JSON.stringify(body));
  return { path: `${path}/${body.id}`, id: body.id, connection: body.connection };
}

async function refused(connection: unknown, where = `${path}/${project.environmentId}`) {
  const { body, text } = await expectStatus(400, system.call('PATCH', where, { connection }));
  answers.push(text);
  return body.errors[0].pointer as string;
}

async function storedFields(id: string): Promise<Record<string, string>> {
  const { rows } = await system.pool.query('SELECT connection_secrets FROM environments WHERE id = $1', [id]);
  const secrets = createSecrets(system.environment['DCTL_SECRET_KEY']!);
  return JSON.parse(secrets.open(rows[0].connection_secrets, `environments:${id}:connection_secrets`)).fields;
}

describe('a connection', () => {
  test.each(Object.keys(connections) as (keyof typeof connections)[])(
    'to %s is shown without its secrets, and what is shown can be sent back',
    async (which) => {
      const made = await create(connections[which]);
      const hidden = JSON.parse(
        JSON.stringify(connections[which], (key, value: unknown) =>
          ['password', 'private_key', 'private_key_passphrase', 'token'].includes(key) ? '***' : value,
        ),
      );
      expect(made.connection).toMatchObject(hidden);
      const before = which === 'duckdb' ? {} : await storedFields(made.id);
      const again = await expectStatus(200, system.call('PATCH', made.path, { connection: made.connection }));
      expect(again.body.connection).toEqual(made.connection);
      if (which !== 'duckdb') expect(await storedFields(made.id)).toEqual(before);
    },
  );

  test('keeps a secret only at the address it was sent for', async () => {
    const made = await create(connections.postgres);
    const moved = (change: object) => ({ ...made.connection, ...change });
    for (const change of [
      { host: 'db.elsewhere.example' },
      { port: 5432 },
      { type: 'redshift', sslmode: 'prefer' },
    ])
      expect(await refused(moved(change), made.path)).toBe('/connection/password');
    const renamed = moved({ user: 'other', host: 'DB.example.com', dbname: 'other' });
    await expectStatus(200, system.call('PATCH', made.path, { connection: renamed }));
    expect(await storedFields(made.id)).toEqual({ password: 'planted-password' });

    const elsewhere = moved({ host: 'db.elsewhere.example', password: 'planted-other' });
    await expectStatus(200, system.call('PATCH', made.path, { connection: elsewhere }));
    expect(await storedFields(made.id)).toEqual({ password: 'planted-other' });
    expect(await refused(made.connection, made.path)).toBe('/connection/password');

    await expectStatus(200, system.call('PATCH', made.path, { connection: null }));
    const { rows } = await system.pool.query(
      'SELECT connection, connection_secrets FROM environments WHERE id = $1',
      [made.id],
    );
    expect(rows[0]).toEqual({ connection: null, connection_secrets: null });
    expect(await refused(made.connection, made.path)).toBe('/connection/password');
  });

  test('to another account or service is another address too', async () => {
    const snowflake = await create(connections.snowflake);
    expect(await refused({ ...snowflake.connection, account: 'other-account' }, snowflake.path)).toBe(
      '/connection/password',
    );
    const databricks = await create(connections.databricks);
    expect(await refused({ ...databricks.connection, host: 'other.example.com' }, databricks.path)).toBe(
      '/connection/token',
    );
    const bigquery = await create(connections.bigquery);
    const keyfile_json = { ...bigquery.connection.keyfile_json, token_uri: 'https://token.example.com' };
    expect(await refused({ ...bigquery.connection, keyfile_json }, bigquery.path)).toBe(
      '/connection/keyfile_json/private_key',
    );
  });

  test.each([
    ['of an unknown type', { type: 'oracle' }, '/connection/type'],
    ['with a field nobody knows', { ...connections.postgres, sslrootcert: '/etc/passwd' }, '/connection'],
    ['with Jinja', { ...connections.postgres, user: "{{ env_var('PATH') }}" }, '/connection/user'],
    ['with a statement of Jinja', { ...connections.postgres, schema: '{% raw %}' }, '/connection/schema'],
    ['with a comment of Jinja', { ...connections.postgres, dbname: 'a{#' }, '/connection/dbname'],
    [
      'with the mark dbt puts in place of a secret',
      { ...connections.postgres, user: '$$$DBT_SECRET_START$$$DBT_ENV_SECRET_A$$$DBT_SECRET_END$$$' },
      '/connection/user',
    ],
    ['with a line break', { ...connections.postgres, user: 'a\nb' }, '/connection/user'],
    [
      'with a URL for a host',
      { ...connections.postgres, host: 'https://db.example.com' },
      '/connection/host',
    ],
    [
      'with several hosts',
      { ...connections.postgres, host: 'a.example.com,b.example.com' },
      '/connection/host',
    ],
    ['with a path for a host', { ...connections.postgres, host: '/var/run/postgresql' }, '/connection/host'],
    [
      'with a host in the account',
      { ...connections.snowflake, account: 'evil.example.com/' },
      '/connection/account',
    ],
    ['without a password', { ...connections.postgres, password: undefined }, '/connection/password'],
    ['with two ways in', { ...connections.snowflake, private_key: privateKey }, '/connection/password'],
    ['with none', { ...connections.snowflake, password: undefined }, '/connection/password'],
    [
      'with a passphrase for no key',
      { ...connections.snowflake, private_key_passphrase: 'x' },
      '/connection/private_key_passphrase',
    ],
    [
      'with a file that is elsewhere',
      { ...connections.duckdb, path: '/work/shop.duckdb' },
      '/connection/path',
    ],
    [
      'with a file that leads elsewhere',
      { ...connections.duckdb, path: '/data/../work/x.duckdb' },
      '/connection/path',
    ],
    ['with a remote file', { ...connections.duckdb, path: 'md:shop' }, '/connection/path'],
  ])('%s is refused', async (_, connection, pointer) => {
    expect(await refused(connection)).toBe(pointer);
  });

  test('is for dbt projects alone', async () => {
    const { body } = await expectStatus(
      201,
      system.call('POST', '/api/v1/projects', { name: 'of another type', type: 'sqlmesh' }),
    );
    const its = `/api/v1/projects/${body.id}/environments`;
    const { data } = (await expectStatus(200, system.call('GET', its))).body;
    expect(await refused(connections.postgres, `${its}/${data[0].id}`)).toBe('/connection');
    const created = { name: 'other', connection: connections.postgres };
    await expectStatus(400, system.call('POST', its, created));
    await expectStatus(201, system.call('POST', its, { name: 'other', connection: null }));
  });

  test('to a file needs the data volume', async () => {
    const where = `${path}/${project.environmentId}`;
    const body = { connection: connections.duckdb, has_data_volume: false };
    const { body: problem } = await expectStatus(400, system.call('PATCH', where, body));
    expect(problem.errors[0].pointer).toBe('/has_data_volume');
    const inMemory = { ...connections.duckdb, path: ':memory:' };
    await expectStatus(200, system.call('PATCH', where, { ...body, connection: inMemory }));
  });
});

test('no answer, log line or table holds a secret of a connection', async () => {
  const secrets = {
    password: 'planted-password',
    other: 'planted-other',
    passphrase: 'planted-passphrase',
    token: 'planted-token',
    key: privateKey,
    line: privateKey.split('\n')[3]!,
  };
  expect(answers.length).toBeGreaterThan(20);
  expect(secretsIn(answers.join('\n'), secrets)).toEqual([]);
  expect(secretsIn(JSON.stringify(system.api.lines), secrets)).toEqual([]);
  expect(secretsIn(await storedText(system.pool), secrets)).toEqual([]);
});
