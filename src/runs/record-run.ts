import { announceRunChange } from '../changes.ts';
import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import type { JobToRun } from '../jobs/job-to-run.ts';
import { lockJob } from '../jobs/store.ts';
import { endedRun, type EndedRun } from './lease.ts';
import { noNodes, verdictOn } from './status.ts';
import { insertRun, type NewRun } from './store.ts';
import { tellOfEnd } from './tell-of-end.ts';

/** A run that waited, and whose place a newer one has taken. */
export interface ReplacedRun {
  run: EndedRun;
  /** Null when its job sends no webhook of this end. */
  deliveryId: string | null;
}

/**
 * Records a run. Where its job wants so, it takes the place of those that wait with the same command; neither exists
 * without the other. What follows from their end is its webhook alone.
 *
 * Null, and nothing is recorded, when the project has no code to run.
 */
export async function recordRun(
  tx: Transaction,
  context: Context,
  job: JobToRun,
  run: NewRun,
): Promise<ReplacedRun[] | null> {
  const replaces = job.replaceQueued && !run.hasKey && run.retryOf === null;
  // As whoever claims a run of it does first: a run is replaced or claimed, and two new ones never replace each other.
  if (replaces) await lockJob(tx, job.id);
  // Twice: the deployment may have been replaced and its files removed while the first try waited for it.
  if (!(await insertRun(tx, run)) && !(await insertRun(tx, run))) return null;
  if (!replaces) return [];
  const replaced: ReplacedRun[] = [];
  for (const ended of await endReplaced(tx, run)) {
    await announceRunChange(tx, ended.id);
    replaced.push({ run: ended, deliveryId: await tellOfEnd(tx, context, ended) });
  }
  return replaced;
}

/** To be called once that transaction is over. */
export async function ringForReplaced(
  { doorbell, metrics, log }: Context,
  replaced: ReplacedRun[],
): Promise<void> {
  for (const { run } of replaced) {
    log.info({ run: run.id }, 'run replaced by a newer one');
    metrics.runsEnded.inc({ status: run.status, reason: 'replaced' });
  }
  // All at once: where the queue is away, each takes its second.
  const deliveries = replaced.flatMap(({ deliveryId }) => deliveryId ?? []);
  await Promise.all(deliveries.map((id) => doorbell.ringDelivery(id)));
}

/** More than this are left to the next run: the transaction must not take long. */
const replacedAtOnce = 200;

/**
 * Queued -> final. Not a run somebody counts on, having given an Idempotency-Key, and no retry: its other tries are
 * part of what is known of the run before.
 */
function endReplaced(tx: Transaction, { id, jobId, settings }: NewRun): Promise<EndedRun[]> {
  const verdict = verdictOn({ kind: 'replaced', by: id }, noNodes, null);
  const steps = 'steps' in settings ? JSON.stringify(settings.steps) : null;
  return tx.$queryRaw<EndedRun[]>`
    UPDATE runs SET
      status = ${verdict.status},
      status_reason = ${verdict.statusReason},
      error_message = ${verdict.errorMessage},
      replaced_by = ${id},
      finished_at = clock_timestamp()
    WHERE id IN (
      SELECT id FROM runs
      WHERE job_id = ${jobId} AND status = 'queued' AND id <> ${id} AND NOT has_key AND retry_of IS NULL
        AND settings -> 'steps' = ${steps}::jsonb
      ORDER BY created_at, id LIMIT ${replacedAtOnce})
    AND status = 'queued'
    RETURNING ${endedRun}`;
}
