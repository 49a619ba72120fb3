import type { Context } from '../context.ts';
import type { Database } from '../db.ts';
import { runKey } from './artifact-path.ts';

const batchSize = 200;

/**
 * Removes logs and artifacts of runs that ended longer ago than their organization keeps them. The run itself, its steps
 * and its nodes stay. Doing it twice, or two workers at once, comes to the same; one that dies half-way is continued.
 */
export async function clearOldRuns(context: Context, signal: AbortSignal): Promise<number> {
  const { db, config } = context;
  let cleared = 0;
  for (const organization of await organizationsThatForget(db, config.DCTL_RETENTION_DAYS)) {
    for (;;) {
      const runIds = await findOldRuns(db, organization);
      for (const runId of runIds) {
        if (signal.aborted) return cleared;
        if (await clear(context, runId)) cleared += 1;
      }
      if (runIds.length < batchSize) break;
    }
  }
  return cleared;
}

/** Whoever sends one of these keys again makes a new run. */
export async function forgetOldKeys({ db, config }: Context): Promise<number> {
  return db.$executeRaw`
    DELETE FROM idempotency_keys
    WHERE created_at < clock_timestamp() - make_interval(secs => ${config.DCTL_IDEMPOTENCY_DAYS * 86_400})`;
}

interface Forgetting {
  id: string;
  days: number;
}

/** 0 days: for ever. */
export function organizationsThatForget(db: Database, otherwiseDays: number): Promise<Forgetting[]> {
  return db.$queryRaw<Forgetting[]>`
    SELECT id, COALESCE(retention_days, ${otherwiseDays}::integer) AS days FROM organizations
    WHERE COALESCE(retention_days, ${otherwiseDays}::integer) > 0`;
}

async function findOldRuns(db: Database, { id, days }: Forgetting): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM runs
    WHERE organization_id = ${id} AND cleared_at IS NULL AND finished_at IS NOT NULL AND NOT artifacts_pending
      AND finished_at < (SELECT clock_timestamp() - make_interval(days => ${days}::integer))
    ORDER BY finished_at LIMIT ${batchSize}`;
  return rows.map((row) => row.id);
}

/** The files first: a run that is marked as cleared has none that anybody would ever look for again. */
async function clear({ db, storage }: Context, runId: string): Promise<boolean> {
  await storage.remove(runKey(runId));
  return db.$transaction(async (tx) => {
    await tx.$executeRaw`DELETE FROM log_chunks WHERE run_id = ${runId}`;
    await tx.$executeRaw`DELETE FROM artifacts WHERE run_id = ${runId}`;
    const marked = await tx.$executeRaw`
      UPDATE runs SET cleared_at = clock_timestamp() WHERE id = ${runId} AND cleared_at IS NULL`;
    return marked === 1;
  });
}
