import type { Context } from '../context.ts';
import { addressOf, connectionSecrets, type Connection, type ConnectionSecrets } from './connection.ts';
import { secretPlace } from './environment-secrets.ts';
import { connectionPlace } from './environments.ts';
import { findSealedSecrets } from './store.ts';

/** What a run needs opened, as it is now. */
export interface RunSecrets {
  /** By the names of the environment variables they become. */
  variables: Record<string, string>;
  connection: ConnectionSecrets['fields'];
}

/**
 * The secrets of a run's environment. `connection`: the one that the run was recorded with. A problem is a sentence
 * for users that says what to do; with one, the run can't be started.
 */
export async function openRunSecrets(
  context: Context,
  environment: { id: string; name: string },
  connection: Connection | null,
): Promise<RunSecrets | { problem: string }> {
  const stored = await findSealedSecrets(context.db, environment.id);
  const problem = (what: string) => ({
    problem: `${what} of the environment "${environment.name}" cannot be opened: it was stored with another DCTL_SECRET_KEY. Give the worker that key again, or store the value anew.`,
  });

  const variables: Record<string, string> = {};
  for (const { name, value } of stored?.secrets ?? []) {
    const opened = openOrNull(context, value, secretPlace(environment.id, name));
    if (opened === null) return problem(`The secret ${name}`);
    variables[name] = opened;
  }
  if (connection === null || connection.secret_fields.length === 0) return { variables, connection: {} };

  const sealed = stored?.connectionSecrets ?? null;
  if (sealed === null) return { problem: changedConnection(environment.name) };
  const opened = openOrNull(context, sealed, connectionPlace(environment.id));
  if (opened === null) return problem("The connection's secret");
  const { address, fields } = connectionSecrets.parse(JSON.parse(opened));
  // What is stored now was meant for another warehouse than the one this run was recorded for.
  const fits =
    address === addressOf(connection) && connection.secret_fields.every((field) => field in fields);
  if (!fits) return { problem: changedConnection(environment.name) };
  const wanted = connection.secret_fields.map((field) => [field, fields[field]]);
  return { variables, connection: Object.fromEntries(wanted) as ConnectionSecrets['fields'] };
}

function openOrNull({ secrets }: Context, sealed: string, place: string): string | null {
  try {
    return secrets.open(sealed, place);
  } catch {
    return null;
  }
}

function changedConnection(name: string): string {
  return `The connection of the environment "${name}" was changed after this run was recorded: trigger the job again.`;
}
