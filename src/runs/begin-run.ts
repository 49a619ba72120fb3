import type { Context } from '../context.ts';
import { tellSubscribers } from '../webhooks/tell-subscribers.ts';
import { claimRun, type ClaimedRun } from './lease.ts';

/** Claims a run as `claimRun` does. That it begins is told once, however often it is taken over. */
export async function beginRun(
  context: Context,
  runId: string,
  worker: Parameters<typeof claimRun>[2],
): Promise<ClaimedRun | null> {
  const { db, doorbell } = context;
  let told: string[] = [];
  const run = await claimRun(db, runId, worker, async (tx, begun) => {
    told = await tellSubscribers(tx, context, begun, ['job.run.started']);
  });
  // Not waited for: the run goes on.
  for (const id of told) void doorbell.ringDelivery(id);
  return run;
}
