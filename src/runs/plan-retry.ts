import { valueOf } from '../commands/with-option.ts';
import type { Database, Transaction } from '../db.ts';
import { runSettings, type RunSettings } from './schema.ts';
import { succeededNodeStatuses } from './status.ts';
import { findSteps } from './store.ts';

/** What a retry runs. */
export type RetryPlan =
  | { steps: RunSettings['steps']; retryFrom: RunSettings['retryFrom'] }
  /** `all_ended_well`: of the steps; `cleared`: nobody knows any more what was left to do. */
  | { refused: 'all_ended_well' | 'cleared' };

export interface RunToRetry {
  id: string;
  settings: unknown;
  clearedAt: Date | null;
}

/** Commands that work on the warehouse node by node. The others begin anew: nothing they did would be done twice. */
const knownToRetry = new Set(['build', 'run', 'test', 'seed', 'snapshot', 'clone', 'retry']);

/**
 * Steps that ended well, or did not have to, are left out. The first of the others goes on from its results, as a
 * `dbt retry`, if there is work in it that needs no repeating; else it begins anew. Those after it follow.
 */
export async function planRetry(db: Database | Transaction, run: RunToRetry): Promise<RetryPlan> {
  const settings = runSettings.parse(run.settings);
  const begun = new Map((await findSteps(db, [run.id])).map((step) => [step.number, step]));
  const isOver = (step: RunSettings['steps'][number], number: number) =>
    begun.get(number)?.status === 'success' || (step.mayFail === true && begun.has(number + 1));
  const place = settings.steps.findIndex((step, index) => !isOver(step, index + 1));
  const [first, ...after] = settings.steps.slice(place);
  if (place === -1 || first === undefined) return { refused: 'all_ended_well' };

  const again: RetryPlan = {
    steps: [first, ...after],
    // A retry that did not come to its work begins from the same results as before.
    retryFrom: place === 0 ? settings.retryFrom : null,
  };
  const number = place + 1;
  if (settings.projectType !== 'dbt' || !knownToRetry.has(first.argv[0] ?? '')) return again;
  const nodes = await countNodes(db, run.id, number);
  if (nodes.succeeded === 0 || nodes.left === 0) return again;
  if (begun.get(number)?.arguments == null && !(await hasResults(db, run.id, number))) {
    return run.clearedAt === null ? again : { refused: 'cleared' };
  }
  return { steps: [dbtRetry(first), ...after], retryFrom: { runId: run.id, step: number } };
}

/** Hooks are no work of their own: dbt runs them again with every retry. */
async function countNodes(db: Database | Transaction, runId: string, step: number) {
  const nodes = { runId, step, resourceType: { not: 'operation' } };
  const all = await db.nodeResult.count({ where: nodes });
  const succeeded = await db.nodeResult.count({
    where: { ...nodes, status: { in: [...succeededNodeStatuses] } },
  });
  return { succeeded, left: all - succeeded };
}

async function hasResults(db: Database | Transaction, runId: string, step: number): Promise<boolean> {
  return (await db.artifact.count({ where: { runId, step, path: 'run_results.json' } })) > 0;
}

/** It takes its options from the results it goes on from, but for these. */
function dbtRetry({ argv }: { argv: string[] }): RunSettings['steps'][number] {
  const target = valueOf(argv, '--target');
  const options = [
    ...argv.filter((word) => word === '--warn-error'),
    ...(target === null ? [] : ['--target', target]),
  ];
  return { command: ['dbt retry', ...options].join(' '), argv: ['retry', ...options] };
}
