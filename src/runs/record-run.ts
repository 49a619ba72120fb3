import { announceRunChange } from '../changes.ts';
import type { Context } from '../context.ts';
import { Prisma, type Transaction } from '../db.ts';
import type { JobToRun } from '../jobs/job-to-run.ts';
import { lockJob } from '../jobs/store.ts';
import { endQueued, type EndedRun } from './lease.ts';
import type { RunSettings } from './schema.ts';
import { noNodes, verdictOn } from './status.ts';
import { insertRun, type NewRun } from './store.ts';
import { countEnded, tellOfEnd } from './tell-of-end.ts';

/** A run that waited, and whose place a newer one has taken. */
export interface ReplacedRun {
  run: EndedRun;
  /** The webhooks that tell of its end. */
  deliveryIds: string[];
}

/**
 * Records a run. Where its job wants so, it takes the place of those that wait with the same command; neither exists
 * without the other. What follows from their end are webhooks alone.
 *
 * Null, and nothing is recorded, when the project has no code to run.
 */
export async function recordRun(
  tx: Transaction,
  context: Context,
  job: JobToRun,
  run: NewRun,
): Promise<ReplacedRun[] | null> {
  const replaces = takesPlaces(job, run);
  // As whoever claims a run of it does first: a run is replaced or claimed, and two new ones never replace each other.
  if (replaces) await lockJob(tx, job.id);
  if (!(await insertRun(tx, run))) return null;
  if (!replaces) return [];
  const replaced: ReplacedRun[] = [];
  for (const ended of await endReplaced(tx, run)) {
    await announceRunChange(tx, ended.id);
    replaced.push({ run: ended, deliveryIds: await tellOfEnd(tx, context, ended) });
  }
  return replaced;
}

/** Whether a run takes the place of those that wait: not one somebody counts on, and no retry. */
export function takesPlaces(job: JobToRun, run: NewRun): boolean {
  return job.replaceQueued && !run.hasKey && run.retryOf === null;
}

/** To be called once that transaction is over. */
export async function ringForReplaced(context: Context, replaced: ReplacedRun[]): Promise<void> {
  const { doorbell, log } = context;
  for (const { run } of replaced) {
    log.info({ run: run.id }, 'run replaced by a newer one');
    countEnded(context, run);
  }
  // All at once: where the queue is away, each takes its second.
  const deliveries = replaced.flatMap(({ deliveryIds }) => deliveryIds);
  await Promise.all(deliveries.map((id) => doorbell.ringDelivery(id)));
}

/** More than this are left to the next run: the transaction must not take long. */
const replacedAtOnce = 200;

/**
 * Not a run somebody counts on, having given an Idempotency-Key, and no retry: its other tries are
 * part of what is known of the run before.
 */
function endReplaced(tx: Transaction, { id, jobId, settings }: NewRun): Promise<EndedRun[]> {
  const verdict = verdictOn({ kind: 'replaced', by: id }, noNodes, null);
  const { steps = null, overrides = null } = settings as Partial<RunSettings>;
  return endQueued(tx, verdict, {
    which: Prisma.sql`id IN (
      SELECT id FROM runs
      WHERE job_id = ${jobId} AND status = 'queued' AND id <> ${id} AND NOT has_key AND retry_of IS NULL
        AND settings -> 'steps' = ${JSON.stringify(steps)}::jsonb
        AND COALESCE(settings -> 'overrides', 'null') = ${JSON.stringify(overrides)}::jsonb
      ORDER BY created_at, id LIMIT ${replacedAtOnce})`,
    noted: Prisma.sql`replaced_by = ${id}`,
  });
}
