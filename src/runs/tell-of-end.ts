import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { tellHooks } from '../hooks/tell-hooks.ts';
import { webhookOfJob } from '../jobs/webhook-of-job.ts';
import { recordDelivery } from '../webhooks/record-delivery.ts';
import { eventsOfEnd } from '../webhooks/run-event.ts';
import { tellSubscribers } from '../webhooks/tell-subscribers.ts';
import { factsOfRun } from './facts-of-run.ts';
import type { EndedRun } from './lease.ts';
import { eventOf } from './status.ts';

/**
 * Records the webhooks of a run's end, in the transaction that ends it: its job's own, those of subscriptions, and what
 * hooks send. What says that the run's artifacts can be read is held back while they cannot.
 *
 * @returns the ids of what may be sent at once
 */
export async function tellOfEnd(tx: Transaction, context: Context, run: EndedRun): Promise<string[]> {
  const { job, webhook } = await webhookOfJob(tx, context, run.jobId);
  const delivery =
    webhook && (await recordDelivery(tx, context.secrets, webhook, eventOf(run.status), run, job));
  const held = run.hasPendingArtifacts ? (['job.run.completed'] as const) : [];
  return [
    ...(delivery === null ? [] : [delivery]),
    ...(run.isHeard ? await tellSubscribers(tx, context, run, eventsOfEnd(run), { held }) : []),
    ...(isForHooks(run) ? await tellHooks(tx, context, run, () => requireFacts(tx, run)) : []),
  ];
}

/** What another run took the place of is nothing to act on: that one ends as well. */
const isForHooks = ({ isFollowed, statusReason }: EndedRun) => isFollowed && statusReason !== 'replaced';

async function requireFacts(tx: Transaction, { id, organizationId }: EndedRun) {
  const facts = await factsOfRun(tx, organizationId, id);
  if (facts === null) throw new Error('a run is not there whose end is to be told');
  return facts;
}

/** To be called once a run has ended, by whatever ended it. */
export function countEnded(
  { metrics }: Context,
  { status, statusReason, durationMs }: Pick<EndedRun, 'status' | 'statusReason' | 'durationMs'>,
): void {
  metrics.runsEnded.inc({ status, reason: statusReason ?? 'none' });
  if (durationMs !== null) metrics.runDurations.observe({ status }, durationMs / 1_000);
}
