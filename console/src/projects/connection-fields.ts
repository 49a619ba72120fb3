import type { Connection } from '../../../client/operations.ts';

export type ConnectionType = Connection['type'];

export interface ConnectionField {
  name: string;
  label: string;
  kind?: 'number' | 'secret' | 'long secret' | 'json' | 'words' | 'choice';
  isOptional?: boolean;
  hint?: string;
  placeholder?: string;
  choices?: string[];
}

const database: ConnectionField[] = [
  { name: 'host', label: 'Host', placeholder: 'warehouse.example.com' },
  { name: 'port', label: 'Port', kind: 'number', isOptional: true },
  { name: 'user', label: 'User' },
  { name: 'password', label: 'Password', kind: 'secret' },
  { name: 'dbname', label: 'Database' },
  { name: 'schema', label: 'Schema' },
  {
    name: 'sslmode',
    label: 'SSL mode',
    kind: 'choice',
    isOptional: true,
    choices: ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'],
  },
];

/** What each kind of warehouse is asked for, as the API names it. */
export const connectionFields: Record<ConnectionType, ConnectionField[]> = {
  postgres: database,
  redshift: database,
  snowflake: [
    { name: 'account', label: 'Account', placeholder: 'myorg-myaccount' },
    { name: 'user', label: 'User' },
    { name: 'password', label: 'Password', kind: 'secret', isOptional: true, hint: 'Or a private key.' },
    { name: 'private_key', label: 'Private key', kind: 'long secret', isOptional: true, hint: 'PEM.' },
    {
      name: 'private_key_passphrase',
      label: 'Private key passphrase',
      kind: 'secret',
      isOptional: true,
    },
    { name: 'role', label: 'Role', isOptional: true },
    { name: 'warehouse', label: 'Warehouse' },
    { name: 'database', label: 'Database' },
    { name: 'schema', label: 'Schema' },
  ],
  bigquery: [
    { name: 'project', label: 'Project' },
    { name: 'dataset', label: 'Dataset' },
    { name: 'location', label: 'Location', isOptional: true, placeholder: 'EU' },
    {
      name: 'keyfile_json',
      label: 'Service account key file',
      kind: 'json',
      hint: 'Paste the downloaded JSON. Its private key is encrypted.',
    },
  ],
  databricks: [
    { name: 'host', label: 'Host', placeholder: 'dbc-12345678-90ab.cloud.databricks.com' },
    { name: 'http_path', label: 'HTTP path', placeholder: '/sql/1.0/warehouses/0123456789abcdef' },
    { name: 'token', label: 'Token', kind: 'secret' },
    { name: 'catalog', label: 'Catalog', isOptional: true },
    { name: 'schema', label: 'Schema' },
  ],
  duckdb: [
    {
      name: 'path',
      label: 'File',
      isOptional: true,
      placeholder: '/data/warehouse.duckdb',
      hint: 'A path below /data (the shared volume), or :memory:.',
    },
    { name: 'schema', label: 'Schema', isOptional: true, placeholder: 'main' },
    {
      name: 'extensions',
      label: 'Extensions',
      kind: 'words',
      isOptional: true,
      placeholder: 'httpfs, json',
    },
  ],
};

export const connectionNames: Record<ConnectionType, string> = {
  postgres: 'Postgres',
  redshift: 'Redshift',
  snowflake: 'Snowflake',
  bigquery: 'BigQuery',
  databricks: 'Databricks',
  duckdb: 'DuckDB',
};

/** A stored value as its field shows it. */
export function shownValue(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

/** What a field's text says to the server. Throws a sentence where it cannot be read. */
export function readValue({ kind, label }: ConnectionField, text: string): unknown {
  if (kind === 'number') return Number(text);
  if (kind === 'words') return text.split(/[\s,]+/).filter((word) => word !== '');
  if (kind !== 'json') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`${label}: not valid JSON. Paste the whole file.`, { cause: error });
  }
}
