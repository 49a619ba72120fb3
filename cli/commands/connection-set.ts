import { askSecret } from '../ask.ts';
import { command } from '../command.ts';
import type { Connection } from '../../client/index.ts';
import { UsageError } from '../failure.ts';
import { environmentOf } from '../find/environment-path.ts';
import { environmentOption, projectOption } from '../options.ts';
import { assignment } from '../values.ts';

const types = ['duckdb', 'postgres', 'redshift', 'snowflake', 'bigquery', 'databricks'] as const;

/** What nobody may read over the shoulder: it comes from stdin, or is asked for. */
const secretOf: Record<(typeof types)[number], string | undefined> = {
  duckdb: undefined,
  postgres: 'password',
  redshift: 'password',
  snowflake: 'password',
  bigquery: 'keyfile_json',
  databricks: 'token',
};

export const connectionSet = command({
  name: 'connection set',
  summary: 'Set the warehouse connection of an environment; the password comes from stdin',
  details:
    'dbt gets a profile made from it, instead of a profiles.yml. A bigquery keyfile_json is the content of its file; snowflake takes a private_key with --secret private_key.',
  examples: [
    'dctl connection set postgres host=db.example.com user=dbt dbname=shop schema=analytics < password.txt',
    'dctl connection set bigquery project=acme dataset=analytics < key.json',
    'dctl connection set duckdb path=/data/shop.duckdb',
  ],
  arguments: {
    type: { about: 'the kind of warehouse', choices: types },
    settings: { about: 'NAME=VALUE, as in a profile', many: true, isOptional: true },
  },
  options: {
    secret: { about: 'which setting comes from stdin', value: 'NAME' },
    environment: environmentOption,
    project: projectOption,
  },
  async run(shell, given) {
    const { out } = shell;
    const type = given.type as (typeof types)[number];
    const settings = Object.fromEntries(given.settings.map(assignment));
    const secret = given.secret ?? secretOf[type];
    for (const name of ['password', 'token', 'private_key', 'keyfile_json'])
      if (Object.hasOwn(settings, name))
        throw new UsageError(
          `Leave ${name} out: other users could see it on the command line. Send it to stdin.`,
        );
    const { environment, path } = await environmentOf(shell, given);
    const value = secret === undefined ? undefined : await askSecret(shell, `${secret} of ${type}`);
    const connection = {
      type,
      ...Object.fromEntries(Object.entries(settings).map(([name, text]) => [name, valueOf(name, text)])),
      ...(secret === undefined ? {} : { [secret]: secret === 'keyfile_json' ? parsed(value!) : value }),
    } as Connection;
    const changed = await shell.client().call('changeEnvironment', { path, body: { connection } });
    out.answer(changed.connection, () => out.say(`${environment.name} uses ${type} from now on.`));
  },
});

function valueOf(name: string, text: string): unknown {
  if (name === 'port') return Number(text);
  return name === 'extensions' ? text.split(',') : text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UsageError('Send the JSON key file of a service account to stdin.');
  }
}
