import { parseCommand } from '../commands/parse-command.ts';
import { parseOptions } from '../commands/parse-options.ts';
import type { ProjectType } from '../commands/project-type.ts';
import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { findCommands } from '../jobs/store.ts';
import { insertOrReset, type PreparationKey, type Wanted } from './store.ts';

/**
 * Has a deployment prepared for all that its project's jobs may run: once for each environment and each set of options
 * that parsing depends on. To be rung for when the transaction has committed.
 *
 * @returns the ids of those that wait now
 */
export async function requestPreparations(
  { config }: Pick<Context, 'config'>,
  tx: Transaction,
  {
    projectId,
    projectType,
    deploymentId,
  }: { projectId: string; projectType: ProjectType; deploymentId: string },
  wanted: Wanted = 'missing',
): Promise<string[]> {
  if (config.DCTL_PREPARATIONS === 'off' || projectType !== 'dbt') return [];
  const requested = new Map<string, PreparationKey>();
  for (const { environmentId, commands } of await findCommands(tx, projectId)) {
    const options = optionsOf(commands.map(wordsOf));
    if (options === null) continue;
    const key = { deploymentId, environmentId, options };
    requested.set(JSON.stringify(key), key);
  }
  const waiting = [];
  // In one order: two who ask for the same at once wait for each other in turn.
  for (const [, key] of [...requested].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const id = await insertOrReset(tx, key, wanted);
    if (id !== null) waiting.push(id);
  }
  return waiting;
}

/** Has one prepared and rings for it, where it does not wait already. */
export async function requestPreparation(
  { config, db, doorbell }: Pick<Context, 'config' | 'db' | 'doorbell'>,
  key: PreparationKey,
  wanted: Wanted,
): Promise<void> {
  if (config.DCTL_PREPARATIONS === 'off') return;
  const id = await insertOrReset(db, key, wanted);
  if (id !== null) await doorbell.ringPreparation(id);
}

/**
 * The options of the first of several `dbt` commands that a project can be prepared for; null when there is none.
 * `argvs`: the words of each.
 */
export function optionsOf(argvs: readonly (readonly string[])[]): string[] | null {
  for (const argv of argvs) {
    const options = parseOptions(argv);
    if (options !== null) return options;
  }
  return null;
}

function wordsOf(command: string): string[] {
  const parsed = parseCommand(command, 'dbt');
  // One that an earlier version accepted, and this one does not: a run of it will say so.
  return parsed.accepted ? parsed.argv : [];
}
