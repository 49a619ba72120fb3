import { parseCommand } from '../commands/parse-command.ts';
import { optionsOf } from '../commands/parse-options.ts';
import type { ProjectType } from '../commands/project-type.ts';
import type { Step } from '../commands/with-option.ts';
import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { stepsOfRun } from '../jobs/steps-of-run.ts';
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
  for (const { environmentId, commands, ...manner } of await findCommands(tx, projectId)) {
    const options = optionsOf(stepsOfRun(commands.map(readStep), manner).map(({ argv }) => argv));
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

function readStep(command: string): Step {
  const parsed = parseCommand(command, 'dbt');
  // One that an earlier version accepted, and this one does not: a run of it will say so.
  return { command, argv: parsed.accepted ? parsed.argv : [] };
}
