import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { jobToRun } from '../jobs/job-to-run.ts';
import type { EndedRun } from './lease.ts';
import { planRetry } from './plan-retry.ts';
import { retryOf } from './retry.ts';
import type { StatusReason } from './status.ts';
import { findRun, insertRun } from './store.ts';

/** Ends that say nothing against the run itself: the next try may well go better. */
const notItsOwn = new Set<StatusReason>([
  'runtime_unavailable',
  'container_lost',
  'engine_restarted',
  'worker_lost',
  'killed',
]);

/** A retry that was recorded, and how long it waits. */
export interface AutomaticRetry {
  runId: string;
  delayMs: number;
}

/**
 * Records a retry of a run that ended for a reason that is not its own. Null: it is not retried by itself. Whatever
 * goes wrong here must not keep the run from its end.
 */
export async function retryByItself(
  tx: Transaction,
  context: Context,
  run: EndedRun,
): Promise<AutomaticRetry | null> {
  if (run.status !== 'error' || run.statusReason === null || !notItsOwn.has(run.statusReason)) return null;
  await tx.$executeRaw`SAVEPOINT automatic_retry`;
  try {
    return await recordRetry(tx, context, run);
  } catch (error) {
    context.log.error({ error, run: run.id }, 'a run could not be retried by itself');
    await tx.$executeRaw`ROLLBACK TO SAVEPOINT automatic_retry`;
    return null;
  }
}

async function recordRetry(tx: Transaction, { log }: Context, run: EndedRun): Promise<AutomaticRetry | null> {
  const settings = await tx.job.findUnique({
    where: { id: run.jobId, enabled: true, deletedAt: null, project: { deletedAt: null } },
    select: { retryAttempts: true, retryDelaySeconds: true },
  });
  if (settings === null || run.attempt > settings.retryAttempts) return null;
  const parent = await findRun(tx, run.organizationId, run.id);
  const plan = parent && (await planRetry(tx, parent));
  if (parent === null || plan === null || 'refused' in plan) return null;
  const retry = retryOf(parent, await jobToRun(tx, run), plan, {
    requestedBy: 'automatic retry',
    cause: run.cause,
    metadata: run.metadata,
    delaySeconds: settings.retryDelaySeconds,
  });
  if (!(await insertRun(tx, retry))) {
    log.warn({ run: run.id }, 'a run is not retried by itself: its project has no code any more');
    return null;
  }
  log.info(
    { run: retry.id, retryOf: run.id, inSeconds: retry.delaySeconds },
    'run will be retried by itself',
  );
  return { runId: retry.id, delayMs: retry.delaySeconds * 1_000 };
}
