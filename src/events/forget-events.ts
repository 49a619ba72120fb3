import type { Context } from '../context.ts';
import { organizationsThatForget } from '../runs/expire.ts';

const batchSize = 1_000;

/**
 * Removes events, and what was made of them, that came longer ago than their organization keeps logs and artifacts. Those
 * that wait for others stay until their window has closed. Harmless to do twice. Returns how many were removed.
 */
export async function forgetOldEvents({ db, config }: Context, signal: AbortSignal): Promise<number> {
  let forgotten = 0;
  for (const { id, days } of await organizationsThatForget(db, config.DCTL_RETENTION_DAYS)) {
    for (let removed = batchSize; removed === batchSize && !signal.aborted; forgotten += removed) {
      removed = await db.$executeRaw`
        DELETE FROM events WHERE id IN (
          SELECT id FROM events
          WHERE organization_id = ${id}
            AND created_at < (SELECT clock_timestamp() - make_interval(days => ${days}::integer))
            AND NOT EXISTS (SELECT FROM event_verdicts WHERE event_id = events.id AND verdict = 'gathering')
          ORDER BY created_at LIMIT ${batchSize})`;
    }
  }
  if (forgotten > 0) {
    await db.$executeRaw`
      DELETE FROM event_gatherings WHERE closed_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM event_verdicts WHERE gathering_id = event_gatherings.id)`;
  }
  return forgotten;
}
