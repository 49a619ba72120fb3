import type { Context } from '../context.ts';
import type { Database, Transaction } from '../db.ts';
import { webhookOfJob } from '../jobs/webhook-of-job.ts';
import { recordDelivery } from '../webhooks/record-delivery.ts';
import { endRun, type EndedRun, type Lease } from './lease.ts';
import {
  eventOf,
  tallyNodes,
  verdictOn,
  type NodeCounts,
  type Outcome,
  type StatusReason,
} from './status.ts';
import { countNodesByStatus, findFirstFailedNode, findOldestQueued } from './store.ts';

/**
 * Ends a run and records the webhook that tells of it, in one transaction: neither exists without the other.
 * Then rings for the webhook and for the job's next run. False when the lease was lost.
 */
export async function finishRun(context: Context, lease: Lease, outcome: Outcome): Promise<boolean> {
  const { db, log } = context;
  // Read only where they decide: a run that is given up may be one whose nodes cannot be read.
  const nodes = outcome.kind === 'exited' ? tallyNodes(await countNodesByStatus(db, [lease.runId])) : noNodes;
  const verdict = verdictOn(outcome, nodes, nodes.failed > 0 ? await firstFailure(db, lease.runId) : null);
  const finished = await db.$transaction(async (tx) => {
    const run = await endRun(tx, lease, {
      ...verdict,
      exitCode: 'exitCode' in outcome ? outcome.exitCode : null,
      nodesTotal: outcome.kind === 'exited' ? nodes.succeeded + nodes.failed + nodes.skipped : null,
    });
    return run === null ? null : { run, deliveryId: await recordWebhook(tx, context, run) };
  });
  if (finished === null) {
    log.warn({ run: lease.runId }, 'the run belongs to another worker by now; its end was not recorded');
    return false;
  }

  const { run, deliveryId } = finished;
  log.info(
    { run: run.id, status: run.status, reason: verdict.statusReason, ms: run.durationMs },
    'run ended',
  );
  countEnded(context, run, verdict.statusReason);
  await ringForWhatFollows(context, run.jobId, deliveryId);
  return true;
}

/** To be called once a run has ended, by whatever ended it. */
export function countEnded(
  { metrics }: Context,
  { status, durationMs }: Pick<EndedRun, 'status' | 'durationMs'>,
  reason: StatusReason | null,
): void {
  metrics.runsEnded.inc({ status, reason: reason ?? 'none' });
  if (durationMs !== null) metrics.runDurations.observe({ status }, durationMs / 1_000);
}

/** To be called in the transaction that ends the run. Null when its job sends no webhook of this end. */
export async function recordWebhook(
  tx: Transaction,
  context: Context,
  run: EndedRun,
): Promise<string | null> {
  const { job, webhook } = await webhookOfJob(tx, context, run.jobId);
  return webhook && recordDelivery(tx, context.secrets, webhook, eventOf(run.status), run, job);
}

/** For the webhook of a run that has ended, and for its job's next run. */
export async function ringForWhatFollows(
  { db, doorbell }: Context,
  jobId: string,
  deliveryId: string | null,
): Promise<void> {
  const next = await findOldestQueued(db, jobId);
  await Promise.all([deliveryId && doorbell.ringDelivery(deliveryId), next && doorbell.ringRun(next.id)]);
}

export const noNodes: NodeCounts = { succeeded: 0, failed: 0, skipped: 0 };

async function firstFailure(db: Database, runId: string): Promise<string | null> {
  const failed = await findFirstFailedNode(db, runId);
  return failed === null ? null : `${failed.uniqueId}: ${failed.message ?? failed.status}`;
}
