import type { Context } from '../context.ts';
import type { Database } from '../db.ts';
import { webhookOfJob } from '../jobs/webhook-of-job.ts';
import { recordDelivery } from '../webhooks/record-delivery.ts';
import { endRun, type Lease } from './lease.ts';
import { eventOf, tallyNodes, verdictOn, type NodeCounts, type Outcome } from './status.ts';
import { countNodesByStatus, findFirstFailedNode, findOldestQueued } from './store.ts';

/**
 * Ends a run and records the webhook that tells of it, in one transaction: neither exists without the other.
 * Then rings for the webhook and for the job's next run. False when the lease was lost.
 */
export async function finishRun(context: Context, lease: Lease, outcome: Outcome): Promise<boolean> {
  const { db, secrets, doorbell, log } = context;
  // Read only where they decide: a run that is given up may be one whose nodes cannot be read.
  const nodes = outcome.kind === 'exited' ? tallyNodes(await countNodesByStatus(db, [lease.runId])) : noNodes;
  const verdict = verdictOn(outcome, nodes, nodes.failed > 0 ? await firstFailure(db, lease.runId) : null);
  const finished = await db.$transaction(async (tx) => {
    const run = await endRun(tx, lease, {
      ...verdict,
      exitCode: 'exitCode' in outcome ? outcome.exitCode : null,
      nodesTotal: outcome.kind === 'exited' ? nodes.succeeded + nodes.failed + nodes.skipped : null,
    });
    if (run === null) return null;
    const { job, webhook } = await webhookOfJob(tx, context, run.jobId);
    const deliveryId = webhook && (await recordDelivery(tx, secrets, webhook, eventOf(run.status), run, job));
    return { run, deliveryId };
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
  const next = await findOldestQueued(db, run.jobId);
  await Promise.all([deliveryId && doorbell.ringDelivery(deliveryId), next && doorbell.ringRun(next.id)]);
  return true;
}

const noNodes: NodeCounts = { succeeded: 0, failed: 0, skipped: 0 };

async function firstFailure(db: Database, runId: string): Promise<string | null> {
  const failed = await findFirstFailedNode(db, runId);
  return failed === null ? null : `${failed.uniqueId}: ${failed.message ?? failed.status}`;
}
