import { Prisma, type Database } from '../db.ts';
import { finalStatuses } from './status.ts';
import { isDue } from './store.ts';

/** By status. A status that no run has counts 0. */
export type RunCounts = Record<string, number>;

export interface OpenRuns {
  queued: number;
  running: number;
  /** Since the oldest queued run could begin, of those that no other run of their job keeps waiting. 0: there is none. */
  oldestDueSeconds: number;
}

export async function countOpenRuns(db: Database): Promise<OpenRuns> {
  const [counted] = await db.$queryRaw<OpenRuns[]>`
    WITH open AS (
      SELECT job_id, count(*) FILTER (WHERE status = 'queued') AS queued,
        count(*) FILTER (WHERE status = 'running') AS running,
        min(COALESCE(not_before, created_at)) FILTER (WHERE status = 'queued' AND ${isDue}) AS oldest
      FROM runs WHERE status IN ('queued', 'running') GROUP BY job_id)
    SELECT COALESCE(sum(queued), 0)::float8 AS queued, COALESCE(sum(running), 0)::float8 AS running,
      COALESCE(extract(epoch FROM clock_timestamp() - min(oldest) FILTER (WHERE running < max_parallel_runs)), 0)::float8
        AS "oldestDueSeconds"
    FROM open JOIN jobs ON jobs.id = job_id`;
  return counted!;
}

/**
 * Counts runs that have ended, over all time. Only the first count looks at all of them: what has settled is kept, and
 * added to what has ended since.
 */
export function openEndedRunCount(db: Database): () => Promise<RunCounts> {
  let settled: { counts: RunCounts; until: Date; at: number } | undefined;

  return async () => {
    const isRecent = settled !== undefined && performance.now() - settled.at < longestGapMs;
    const known = isRecent ? settled : undefined;
    const [{ now } = { now: new Date(0) }] = await db.$queryRaw<
      { now: Date }[]
    >`SELECT clock_timestamp() AS now`;
    const until = new Date(now.getTime() - settlesAfterMs);
    // What ended lately is not cleared yet: the words of an index that there is (runs_to_clear).
    const since = known ? Prisma.sql`AND finished_at > ${known.until} AND cleared_at IS NULL` : Prisma.empty;
    const rows = await db.$queryRaw<{ status: string; settled: number; all: number }[]>`
      SELECT status, count(*) FILTER (WHERE finished_at <= ${until})::float8 AS settled, count(*)::float8 AS all
      FROM runs WHERE finished_at IS NOT NULL ${since} GROUP BY status`;
    const total = (of: 'settled' | 'all') =>
      Object.fromEntries(
        finalStatuses.map((status) => [
          status,
          (known?.counts[status] ?? 0) + (rows.find((row) => row.status === status)?.[of] ?? 0),
        ]),
      );
    settled = { counts: total('settled'), until, at: performance.now() };
    return total('all');
  };
}

/** Longer than any transaction takes that ends a run: none appears later with an earlier time. */
const settlesAfterMs = 30_000;
/** Well below the shortest time after which a run is cleared. */
const longestGapMs = 3_600_000;
