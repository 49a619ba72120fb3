import type { Context } from '../context.ts';
import { Prisma, type Database } from '../db.ts';
import { AppError } from '../errors.ts';
import { claimedColumns, readClaimed, type ClaimedRow, type ClaimedRun } from './lease.ts';
import { lookAgainMs } from './logs.ts';

/** What somebody who asks for the artifacts of a run that has just ended waits for them. */
const requestMs = 30_000;
const retryAfterSeconds = 5;

/** A run that has ended, and whose artifacts nobody has come to store. */
export interface PendingRun {
  run: ClaimedRun;
  /** It ended longer ago than its container is hoped for. */
  isLate: boolean;
}

/**
 * Takes such a run, one of this Docker engine: its container is there. After `lostSeconds` any other as well. Whoever is
 * at one says so again and again (`holdPending`); two at once come to the same. Null: there is none.
 */
export async function takePending(
  db: Database,
  taker: { engineId: string | null; leaseSeconds: number; lostSeconds: number },
): Promise<PendingRun | null> {
  const isLate = Prisma.sql`finished_at < clock_timestamp() - make_interval(secs => ${taker.lostSeconds}::float8)`;
  const [row] = await db.$queryRaw<(ClaimedRow & { isLate: boolean })[]>`
    UPDATE runs SET lease_expires_at = clock_timestamp() + make_interval(secs => ${taker.leaseSeconds}::float8)
    WHERE id = (
      SELECT id FROM runs
      WHERE artifacts_pending AND lease_expires_at < clock_timestamp()
        AND (engine_id IS NULL OR engine_id = ${taker.engineId}::text OR ${isLate})
      ORDER BY finished_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING ${claimedColumns}, ${isLate} AS "isLate"`;
  return row === undefined ? null : { run: readClaimed(row, ''), isLate: row.isLate };
}

/** Keeps others from a run whose artifacts are being stored. */
export async function holdPending(db: Database, runId: string, leaseSeconds: number): Promise<void> {
  await db.$executeRaw`
    UPDATE runs SET lease_expires_at = clock_timestamp() + make_interval(secs => ${leaseSeconds}::float8)
    WHERE id = ${runId} AND artifacts_pending`;
}

/**
 * Waits until what a run left is stored, if it has ended: its end is told before. False when it is not within `forMs`,
 * or the signal aborts.
 */
export async function artifactsStored(
  { db, changes }: Pick<Context, 'db' | 'changes'>,
  runId: string,
  { forMs, signal }: { forMs: number; signal?: AbortSignal | undefined },
): Promise<boolean> {
  const watch = changes.watch(runId);
  signal?.addEventListener('abort', watch.close, { once: true });
  try {
    const isGivenUp = () => signal?.aborted === true;
    for (const startedAt = performance.now(); !isGivenUp();) {
      const found = await db.run.findUnique({ where: { id: runId }, select: { artifactsPending: true } });
      if (found?.artifactsPending !== true) return true;
      const leftMs = startedAt + forMs - performance.now();
      if (leftMs <= 0) return false;
      await watch.next(Math.min(leftMs, lookAgainMs));
    }
    return false;
  } finally {
    signal?.removeEventListener('abort', watch.close);
    watch.close();
  }
}

/** The same for a request: refuses when they are not stored in time. `run`: as it was read for the request. */
export async function requireArtifactsStored(
  context: Pick<Context, 'db' | 'changes'>,
  run: { id: string; artifactsPending: boolean },
): Promise<void> {
  if (!run.artifactsPending || (await artifactsStored(context, run.id, { forMs: requestMs }))) return;
  throw new AppError(
    'unavailable',
    'The run has ended, and what it left is still being stored: ask again in a moment.',
    { retryAfterSeconds },
  );
}
