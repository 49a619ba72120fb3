import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { connectionForm, splitConnection } from '../../src/environments/connection.ts';
import { generatedProfile, targetName } from '../../worker/dbt/profile.ts';
import { withThreads } from '../../worker/dbt/threads.ts';
import { connections, privateKey } from './connections.ts';

const inVariable = (name: string) => `{{ env_var('DBT_ENV_SECRET_DCTL_${name}') }}`;

function profileOf(form: unknown, { target = 'prod', threads = null as number | null } = {}) {
  const { connection, secrets } = splitConnection(connectionForm.parse(form), undefined);
  const { content, variables, name } = generatedProfile(connection, secrets.fields, { target, threads });
  return { content, variables, name, profiles: parse(content) };
}

const outputs: Record<keyof typeof connections, { output: object; variables: object }> = {
  duckdb: { output: connections.duckdb, variables: {} },
  postgres: {
    output: { ...connections.postgres, password: inVariable('PASSWORD') },
    variables: { DBT_ENV_SECRET_DCTL_PASSWORD: 'planted-password' },
  },
  redshift: {
    output: { ...connections.redshift, port: 5439, method: 'database', password: inVariable('PASSWORD') },
    variables: { DBT_ENV_SECRET_DCTL_PASSWORD: 'planted-password' },
  },
  snowflake: {
    output: { ...connections.snowflake, password: inVariable('PASSWORD') },
    variables: { DBT_ENV_SECRET_DCTL_PASSWORD: 'planted-password' },
  },
  'snowflake with a key': {
    output: {
      ...connections['snowflake with a key'],
      private_key: inVariable('PRIVATE_KEY'),
      private_key_passphrase: inVariable('PRIVATE_KEY_PASSPHRASE'),
    },
    variables: {
      DBT_ENV_SECRET_DCTL_PRIVATE_KEY: privateKey,
      DBT_ENV_SECRET_DCTL_PRIVATE_KEY_PASSPHRASE: 'planted-passphrase',
    },
  },
  bigquery: {
    output: {
      ...connections.bigquery,
      method: 'service-account-json',
      keyfile_json: { ...connections.bigquery.keyfile_json, private_key: inVariable('PRIVATE_KEY') },
    },
    variables: { DBT_ENV_SECRET_DCTL_PRIVATE_KEY: privateKey },
  },
  databricks: {
    output: { ...connections.databricks, token: inVariable('TOKEN') },
    variables: { DBT_ENV_SECRET_DCTL_TOKEN: 'planted-token' },
  },
};

describe('the generated profile', () => {
  test.each(Object.keys(outputs) as (keyof typeof outputs)[])(
    'of %s holds every field, and its secrets only by the names of variables',
    (which) => {
      const made = profileOf(connections[which]);
      expect(made.name).toBe('dctl');
      const { output, variables } = outputs[which];
      expect(made.profiles).toEqual({
        dctl: { target: 'prod', outputs: { prod: { ...output, threads: 4 } } },
      });
      expect(made.variables).toEqual(variables);
      expect(made.content).not.toMatch(/planted|BEGIN/);
    },
  );

  test("has the environment's threads", () => {
    const { profiles } = profileOf(connections.duckdb, { threads: 12 });
    expect(profiles.dctl.outputs.prod.threads).toBe(12);
  });

  test('keeps every text that a form takes to itself, and as a text', () => {
    const fields = fc.record({
      user: fc.string(),
      dbname: fc.string(),
      schema: fc.string({ unit: 'grapheme' }),
    });
    const yaml = fc.constantFrom(
      'null',
      'no',
      '1e3',
      '0x1',
      '2024-01-01',
      '<<',
      '!!binary x',
      '- a',
      'a: b',
      '" #',
      '|',
      '&a',
      '~',
    );
    fc.assert(
      fc.property(fc.oneof(fields, fc.record({ user: yaml, dbname: yaml, schema: yaml })), (given) => {
        const form = connectionForm.safeParse({ ...connections.postgres, ...given });
        fc.pre(form.success);
        expect(profileOf(form.data).profiles.dctl.outputs.prod).toMatchObject(given);
      }),
    );
  });

  test("is called after the environment's target, else after the environment", () => {
    expect(targetName({ name: 'production', target: null })).toBe('production');
    expect(targetName({ name: 'production', target: 'prod' })).toBe('prod');
    expect(targetName({ name: ' Team A: ci/cd ', target: null })).toBe('Team_A_ci_cd');
    expect(targetName({ name: '日本', target: null })).toBe('default');
  });
});

describe("an environment's threads", () => {
  const argvOf = (argv: string[], environment: { threads: number | null; connection: object | null }) =>
    withThreads({ command: '', argv }, environment).argv;
  const eight = { threads: 8, connection: null };

  test.each([
    ['build', 'build --threads 8'],
    ['run --select a b', 'run --threads 8 --select a b'],
    ['docs generate --static', 'docs generate --threads 8 --static'],
    ['source freshness', 'source freshness --threads 8'],
    ['run-operation hello', 'run-operation --threads 8 hello'],
    ['build --threads 2', 'build --threads 2'],
    ['build --threads=2', 'build --threads=2'],
    ['deps', 'deps'],
    ['clean', 'clean'],
    ['list', 'list'],
    ['ls', 'ls'],
    ['debug', 'debug'],
  ])('dbt %s becomes dbt %s', (given, expected) => {
    expect(argvOf(given.split(' '), eight)).toEqual(expected.split(' '));
  });

  test('are in the generated profile, where there is one', () => {
    expect(argvOf(['build'], { threads: 8, connection: {} })).toEqual(['build']);
    expect(argvOf(['build'], { threads: null, connection: null })).toEqual(['build']);
  });
});
