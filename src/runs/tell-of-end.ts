import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { webhookOfJob } from '../jobs/webhook-of-job.ts';
import { recordDelivery } from '../webhooks/record-delivery.ts';
import type { EndedRun } from './lease.ts';
import { eventOf } from './status.ts';

/** Records the webhook of a run's end, in the transaction that ends it. Null when its job sends none of this end. */
export async function tellOfEnd(tx: Transaction, context: Context, run: EndedRun): Promise<string | null> {
  const { job, webhook } = await webhookOfJob(tx, context, run.jobId);
  return webhook && recordDelivery(tx, context.secrets, webhook, eventOf(run.status), run, job);
}

/** To be called once a run has ended, by whatever ended it. */
export function countEnded(
  { metrics }: Context,
  { status, statusReason, durationMs }: Pick<EndedRun, 'status' | 'statusReason' | 'durationMs'>,
): void {
  metrics.runsEnded.inc({ status, reason: statusReason ?? 'none' });
  if (durationMs !== null) metrics.runDurations.observe({ status }, durationMs / 1_000);
}
