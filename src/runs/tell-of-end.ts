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
