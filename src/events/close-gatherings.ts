import type { Context } from '../context.ts';
import { findDueGatherings, isGatheringDue } from './event-store.ts';
import { runOfGathering } from './gatherings.ts';
import { ringForRuns } from './record-events.ts';
import { lockRuleIfFree } from './rule-store.ts';

const atOnce = 100;

/**
 * Closes the gatherings whose time has come, each in a transaction of its own: one that fails holds up no other. Any
 * number of workers may be at it, and one that dies half-way has done nothing. Returns how many were closed.
 */
export async function closeGatherings(context: Context): Promise<number> {
  const { db, log } = context;
  let closed = 0;
  for (const gathering of await findDueGatherings(db, atOnce)) {
    const startedAt = performance.now();
    try {
      const outcome = await db.$transaction(
        async (tx) => {
          const isMine =
            (await lockRuleIfFree(tx, gathering.ruleId)) && (await isGatheringDue(tx, gathering.id));
          return isMine ? { run: await runOfGathering(tx, context, gathering) } : null;
        },
        { maxWait: 5_000, timeout: 30_000 },
      );
      if (outcome === null) continue;
      closed += 1;
      if (outcome.run !== null) ringForRuns(context, [outcome.run], startedAt);
    } catch (error) {
      log.error(
        { error, gathering: gathering.id },
        'events that were gathered could not be brought to a run',
      );
    }
  }
  return closed;
}
