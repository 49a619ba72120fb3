import { generateKeyPairSync } from 'node:crypto';

export const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

/** What a caller writes for a connection of each type. */
export const connections = {
  duckdb: { type: 'duckdb', path: '/data/shop.duckdb', schema: 'main', extensions: ['httpfs'] },
  postgres: {
    type: 'postgres',
    host: 'db.example.com',
    port: 5433,
    user: '0123',
    password: 'planted-password',
    dbname: '2024',
    schema: 'true',
    sslmode: 'require',
  },
  redshift: {
    type: 'redshift',
    host: 'c.eu-west-1.redshift.amazonaws.com',
    user: `o'n"e: # &a *b`,
    password: 'planted-password',
    dbname: 'dev',
    schema: 'analytics',
  },
  snowflake: {
    type: 'snowflake',
    account: 'myorg-myaccount',
    user: 'dbt',
    password: 'planted-password',
    role: 'transformer',
    warehouse: 'small',
    database: 'raw',
    schema: 'analytics',
  },
  'snowflake with a key': {
    type: 'snowflake',
    account: 'myorg-myaccount',
    user: 'dbt',
    private_key: privateKey,
    private_key_passphrase: 'planted-passphrase',
    warehouse: 'small',
    database: 'raw',
    schema: 'analytics',
  },
  bigquery: {
    type: 'bigquery',
    project: 'my-project',
    dataset: 'analytics',
    location: 'EU',
    keyfile_json: {
      type: 'service_account',
      project_id: 'my-project',
      private_key_id: '0123',
      private_key: privateKey,
      client_email: 'dbt@my-project.iam.gserviceaccount.com',
      client_id: '0123456789',
      token_uri: 'https://oauth2.googleapis.com/token',
    },
  },
  databricks: {
    type: 'databricks',
    host: 'dbc-1.cloud.databricks.com',
    http_path: '/sql/1.0/warehouses/0123456789abcdef',
    token: 'planted-token',
    catalog: 'main',
    schema: 'analytics',
  },
} as const;
