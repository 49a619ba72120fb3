import { z } from 'zod';
import { invalidField } from '../errors.ts';
import { hiddenValue, text } from '../text.ts';

/** A value that ends up in a generated profiles.yml, which dbt renders: no Jinja, one line. */
const formText = (maxCharacters = 255) =>
  text(maxCharacters)
    .min(1, 'write a value, or leave the field out')
    .refine((value) => !/\p{Cc}/u.test(value), 'write it in one line, without control characters')
    .refine(
      (value) => !/\{[{%#]/.test(value),
      'write it without {{, {% and {#: values are taken as they stand',
    )
    // dbt puts a secret wherever its own mark for one stands.
    .refine((value) => !/DBT_(ENV_)?SECRET/.test(value), 'write it without DBT_SECRET and DBT_ENV_SECRET');

const host = formText().regex(
  /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9])?$|^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/,
  'write a host name or an IP address, without scheme, port or path',
);
const port = z.int().min(1).max(65_535);
/** Sealed at once; nobody is shown it again. */
const secret = text(32_768).min(1, 'write a value, or leave the field out');

const duckdb = z.strictObject({
  type: z.literal('duckdb'),
  path: formText()
    .refine(
      (value) => value === ':memory:' || (/^\/data\/[\w./-]*\w$/.test(value) && !value.includes('..')),
      'write :memory:, or a file below /data such as /data/shop.duckdb',
    )
    .default('/data/warehouse.duckdb'),
  schema: formText().default('main'),
  extensions: z
    .array(formText(64).regex(/^[a-z][a-z0-9_]*$/, 'write the name of an extension such as httpfs'))
    .max(20)
    .optional(),
});

const postgres = z.strictObject({
  type: z.literal('postgres'),
  host,
  port: port.default(5432),
  user: formText(),
  password: secret,
  dbname: formText(),
  schema: formText(),
  sslmode: z.enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']).optional(),
});

const redshift = postgres.extend({ type: z.literal('redshift'), port: port.default(5439) });

const snowflake = z.strictObject({
  type: z.literal('snowflake'),
  account: formText().regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    'write the account identifier such as myorg-myaccount, without a domain or a scheme',
  ),
  user: formText(),
  password: secret.optional(),
  private_key: secret.optional().meta({ description: 'PEM, in place of a password' }),
  private_key_passphrase: secret.optional(),
  role: formText().optional(),
  warehouse: formText(),
  database: formText(),
  schema: formText(),
});

/** The JSON file of a service account. Its private_key alone is secret. */
const keyFile = z.strictObject({
  type: z.literal('service_account'),
  project_id: formText(),
  private_key_id: formText().optional(),
  private_key: secret,
  client_email: formText(),
  client_id: formText().optional(),
  auth_uri: formText().optional(),
  token_uri: formText(),
  auth_provider_x509_cert_url: formText().optional(),
  client_x509_cert_url: formText().optional(),
  universe_domain: formText().optional(),
});

const bigquery = z.strictObject({
  type: z.literal('bigquery'),
  project: formText(),
  dataset: formText(),
  location: formText().optional(),
  keyfile_json: keyFile.meta({ description: "The service account's JSON key file, as an object" }),
});

const databricks = z.strictObject({
  type: z.literal('databricks'),
  host,
  http_path: formText().regex(/^\/[\w./-]+$/, 'write a path such as /sql/1.0/warehouses/0123456789abcdef'),
  token: secret,
  catalog: formText().optional(),
  schema: formText(),
});

/** As callers write it. A secret they leave as `***` is the stored one. */
export const connectionForm = z
  .discriminatedUnion('type', [duckdb, postgres, redshift, snowflake, bigquery, databricks])
  .meta({
    id: 'Connection',
    description:
      'Where the warehouse is. Passwords, keys and tokens are shown as ***, and kept when sent so.',
  });

/** The names of the secret fields that are given. */
const secret_fields = z.array(z.enum(['password', 'private_key', 'private_key_passphrase', 'token']));

/** As it is stored beside its sealed secrets, and as a run keeps it. */
export const storedConnection = z.discriminatedUnion('type', [
  duckdb.extend({ secret_fields }),
  postgres.omit({ password: true }).extend({ secret_fields }),
  redshift.omit({ password: true }).extend({ secret_fields }),
  snowflake
    .omit({ password: true, private_key: true, private_key_passphrase: true })
    .extend({ secret_fields }),
  bigquery.extend({ keyfile_json: keyFile.omit({ private_key: true }), secret_fields }),
  databricks.omit({ token: true }).extend({ secret_fields }),
]);

export type ConnectionForm = z.output<typeof connectionForm>;
export type Connection = z.output<typeof storedConnection>;
export type SecretField = z.output<typeof secret_fields>[number];

/** What is sealed: the values of the secret fields, and the address they are for. */
export const connectionSecrets = z.object({
  address: z.string(),
  fields: z.partialRecord(secret_fields.element, z.string()),
});

export type ConnectionSecrets = z.output<typeof connectionSecrets>;

/** Whom the secrets are for. They are never handed to another: a new address wants them sent again. */
export function addressOf(connection: Connection): string {
  switch (connection.type) {
    case 'duckdb':
      return 'duckdb';
    case 'postgres':
    case 'redshift':
      return `${connection.type} ${connection.host.toLowerCase()} ${connection.port}`;
    case 'snowflake':
      return `snowflake ${connection.account.toLowerCase()}`;
    case 'bigquery': {
      const { client_email: account, token_uri: tokenUri, universe_domain: domain } = connection.keyfile_json;
      return `bigquery ${account} ${tokenUri} ${domain ?? ''}`;
    }
    case 'databricks':
      return `databricks ${connection.host.toLowerCase()}`;
  }
}

/** Takes the secrets out of what was sent, those of `stored` in place of the ones that were sent as `***`. */
export function splitConnection(
  form: ConnectionForm,
  stored: ConnectionSecrets | undefined,
): { connection: Connection; secrets: ConnectionSecrets } {
  const { plain, sent } = separate(form);
  const connection = storedConnection.parse({ ...plain, secret_fields: Object.keys(sent) });
  if (connection.type === 'snowflake') requireOneWayIn(connection.secret_fields);
  const address = addressOf(connection);
  const known = stored?.address === address ? stored.fields : {};
  const fields = connection.secret_fields.map((field) => {
    const value = sent[field] === hiddenValue ? known[field] : sent[field];
    const path = connection.type === 'bigquery' ? `keyfile_json/${field}` : field;
    return [field, value ?? refuse(path, 'Send the value: none is stored for this field at this address.')];
  });
  return { connection, secrets: connectionSecrets.parse({ address, fields: Object.fromEntries(fields) }) };
}

/** The connection as callers see it. */
export function connectionView(connection: Connection): Record<string, unknown> {
  const { secret_fields: names, ...shown } = connection;
  const hidden = Object.fromEntries(names.map((name) => [name, hiddenValue]));
  if (shown.type !== 'bigquery') return { ...shown, ...hidden };
  return { ...shown, keyfile_json: { ...shown.keyfile_json, ...hidden } };
}

function separate(form: ConnectionForm): { plain: Record<string, unknown>; sent: Record<string, string> } {
  if (form.type !== 'bigquery') return apart(form);
  const { plain, sent } = apart(form.keyfile_json);
  return { plain: { ...form, keyfile_json: plain }, sent };
}

function apart(fields: object): { plain: Record<string, unknown>; sent: Record<string, string> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  const isSecret = (name: string) => secret_fields.element.safeParse(name).success;
  return {
    plain: Object.fromEntries(entries.filter(([name]) => !isSecret(name))),
    sent: Object.fromEntries(entries.filter(([name]) => isSecret(name))) as Record<string, string>,
  };
}

function requireOneWayIn(given: SecretField[]): void {
  if (given.includes('password') === given.includes('private_key')) {
    refuse('password', 'Give either a password or a private_key.');
  }
  if (given.includes('private_key_passphrase') && !given.includes('private_key')) {
    refuse('private_key_passphrase', 'Leave the passphrase out: it belongs to a private_key.');
  }
}

function refuse(field: string, detail: string): never {
  throw invalidField(`/connection/${field}`, detail);
}
