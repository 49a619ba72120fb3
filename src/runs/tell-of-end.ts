import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { webhookOfJob } from '../jobs/webhook-of-job.ts';
import { recordDelivery } from '../webhooks/record-delivery.ts';
import { eventsOfEnd } from '../webhooks/run-event.ts';
import { tellSubscribers } from '../webhooks/tell-subscribers.ts';
import type { EndedRun } from './lease.ts';
import { eventOf } from './status.ts';

/**
 * Records the webhooks of a run's end, in the transaction that ends it: its job's own, and those of subscriptions. What
 * says that the run's artifacts can be read is held back while they cannot.
 *
 * @returns the ids of what may be sent at once
 */
export async function tellOfEnd(tx: Transaction, context: Context, run: EndedRun): Promise<string[]> {
  const { job, webhook } = await webhookOfJob(tx, context, run.jobId);
  const delivery =
    webhook && (await recordDelivery(tx, context.secrets, webhook, eventOf(run.status), run, job));
  const ofJob = delivery === null ? [] : [delivery];
  if (!run.isHeard) return ofJob;
  const held = run.hasPendingArtifacts ? (['job.run.completed'] as const) : [];
  return [...ofJob, ...(await tellSubscribers(tx, context, run, eventsOfEnd(run), { held }))];
}

/** To be called once a run has ended, by whatever ended it. */
export function countEnded(
  { metrics }: Context,
  { status, statusReason, durationMs }: Pick<EndedRun, 'status' | 'statusReason' | 'durationMs'>,
): void {
  metrics.runsEnded.inc({ status, reason: statusReason ?? 'none' });
  if (durationMs !== null) metrics.runDurations.observe({ status }, durationMs / 1_000);
}
