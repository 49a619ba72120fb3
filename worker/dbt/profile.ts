import { stringify } from 'yaml';
import type { Connection, ConnectionSecrets, SecretField } from '../../src/environments/connection.ts';

const profileName = 'dctl';
const defaultThreads = 4;
const defaultTarget = 'default';

/** dbt masks the values of variables that are named so in its logs. */
const variableOf = (field: SecretField) => `DBT_ENV_SECRET_DCTL_${field.toUpperCase()}`;

export interface GeneratedProfile {
  name: string;
  /** Of a profiles.yml. It holds no secret. */
  content: string;
  /** Hold the secrets that the content names. */
  variables: Record<string, string>;
}

/** dbt's profile for a connection. `target`: what its one output is called. */
export function generatedProfile(
  connection: Connection,
  secrets: ConnectionSecrets['fields'],
  { target, threads }: { target: string; threads: number | null },
): GeneratedProfile {
  const output = { ...fieldsOf(connection), threads: threads ?? defaultThreads };
  const profile = { [profileName]: { target, outputs: { [target]: output } } };
  const values = Object.entries(secrets) as [SecretField, string][];
  return {
    name: profileName,
    content: stringify(profile, { defaultStringType: 'QUOTE_DOUBLE', lineWidth: 0 }),
    variables: Object.fromEntries(values.map(([field, value]) => [variableOf(field), value])),
  };
}

/** What a generated profile's output is called: the environment's own target, or its name as far as dbt takes it. */
export function targetName(environment: { name: string; target: string | null }): string {
  const safe = environment.name.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^[_-]+|_+$/g, '');
  return environment.target ?? (safe === '' ? defaultTarget : safe);
}

function fieldsOf(connection: Connection): Record<string, unknown> {
  const { secret_fields: given, ...fields } = connection;
  const secrets = Object.fromEntries(given.map((field) => [field, `{{ env_var('${variableOf(field)}') }}`]));
  switch (fields.type) {
    case 'duckdb':
    case 'postgres':
    case 'snowflake':
    case 'databricks':
      return { ...fields, ...secrets };
    case 'redshift':
      return { ...fields, method: 'database', ...secrets };
    case 'bigquery':
      return {
        ...fields,
        method: 'service-account-json',
        keyfile_json: { ...fields.keyfile_json, ...secrets },
      };
  }
}
