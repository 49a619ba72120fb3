import { randomUUID } from 'node:crypto';
import type { Context } from '../context.ts';
import type { Database } from '../db.ts';
import { inTurn } from '../turns.ts';
import { finishRun } from './finish.ts';
import type { Lease } from './lease.ts';

/**
 * Ends runs that no worker takes over although their time has long been over: all workers are gone, or those of their
 * engine. What is left of such a run is removed by the next worker. Returns how many there were.
 */
export async function giveUpLostRuns(context: Context): Promise<number> {
  const { db, config } = context;
  const lost = await findLostRuns(db, config.DCTL_WORKER_LOST_SECONDS);
  let givenUp = 0;
  if (lost.length === 0) return givenUp;
  await inTurn(context, 'lost runs', async (signal) => {
    for (const { id } of lost) {
      if (signal.aborted) return;
      const lease = await takeLost(context, id);
      if (lease !== null && (await finishRun(context, lease, { kind: 'worker_lost' }))) givenUp += 1;
    }
  });
  return givenUp;
}

function findLostRuns(db: Database, lostSeconds: number): Promise<{ id: string }[]> {
  return db.$queryRaw<{ id: string }[]>`
    SELECT id FROM runs
    WHERE status = 'running' AND lease_expires_at < clock_timestamp() - make_interval(secs => ${lostSeconds}::float8)
      AND started_at < clock_timestamp()
        - make_interval(secs => (settings ->> 'timeoutSeconds')::float8 + ${lostSeconds}::float8)
    ORDER BY started_at LIMIT 500`;
}

/** As a worker takes a run over: one that comes back meanwhile, or holds an old lease, changes nothing any more. */
async function takeLost({ db, config }: Context, runId: string): Promise<Lease | null> {
  const token = randomUUID();
  const taken = await db.$executeRaw`
    UPDATE runs SET
      lease_token = ${token},
      lease_expires_at = clock_timestamp() + make_interval(secs => ${config.DCTL_LEASE_SECONDS}::float8),
      fence = fence + 1
    WHERE id = ${runId} AND status = 'running'
      AND lease_expires_at < clock_timestamp() - make_interval(secs => ${config.DCTL_WORKER_LOST_SECONDS}::float8)`;
  return taken === 1 ? { runId, token } : null;
}
