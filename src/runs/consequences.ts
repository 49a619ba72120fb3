import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { retryByItself, type AutomaticRetry } from './automatic-retry.ts';
import { noFollowers, startFollowers } from './followers.ts';
import type { EndedRun } from './lease.ts';
import { ringForReplaced, type ReplacedRun } from './record-run.ts';
import { findOldestQueued } from './store.ts';
import { tellOfEnd } from './tell-of-end.ts';

/** What follows from the end of a run. */
export interface Consequences {
  /** The webhooks that tell of it. */
  deliveryIds: string[];
  /** Its own retry: then nobody follows yet. */
  retry: AutomaticRetry | null;
  /** Runs of the jobs that wait for it. */
  runIds: string[];
  /** Runs of those jobs whose place they have taken. */
  replaced: ReplacedRun[];
}

/** To be called in the transaction that ends a run, whoever ends it: neither exists without the other. */
export async function recordConsequences(
  tx: Transaction,
  context: Context,
  run: EndedRun,
): Promise<Consequences> {
  const deliveryIds = await tellOfEnd(tx, context, run);
  const retry = await retryByItself(tx, context, run);
  // Jobs that wait for this one wait for its last try.
  const followers = retry === null ? await startFollowers(tx, context, run) : noFollowers;
  return { deliveryIds, retry, ...followers };
}

/** To be called once that transaction is over. Also for the next run of the job, which has waited for its turn. */
export async function ringForConsequences(
  context: Context,
  { jobId }: { jobId: string },
  { deliveryIds, retry, runIds, replaced }: Consequences,
): Promise<void> {
  const { db, doorbell } = context;
  const ringForNext = async () => {
    const next = await findOldestQueued(db, jobId);
    if (next !== null && !runIds.includes(next.id)) await doorbell.ringRun(next.id);
  };
  await Promise.all([
    ...deliveryIds.map((id) => doorbell.ringDelivery(id)),
    retry && doorbell.ringRun(retry.runId, retry.delayMs),
    ringForReplaced(context, replaced),
    ringForNext(),
    ...runIds.map((id) => doorbell.ringRun(id)),
  ]);
}
