import type { Database } from '../db.ts';
import type { Lease } from './lease.ts';

/** What a run may keep of what dbt said when it was interrupted. */
export const maxLastWords = 20;
export const maxLastWordsCharacters = 500;

/**
 * Notes when a signal was sent that the engine has passed on, the first of its kind. Does nothing once the lease is lost.
 */
export async function noteSignal(
  db: Database,
  { runId, token }: Lease,
  signal: 'SIGINT' | 'SIGKILL',
  sentAgoMs: number,
): Promise<void> {
  const seconds = sentAgoMs / 1_000;
  await (signal === 'SIGINT'
    ? db.$executeRaw`
        UPDATE runs SET
          interrupted_at = COALESCE(interrupted_at, clock_timestamp() - make_interval(secs => ${seconds}::float8))
        WHERE id = ${runId} AND lease_token = ${token}`
    : db.$executeRaw`
        UPDATE runs SET killed_at = COALESCE(killed_at, clock_timestamp() - make_interval(secs => ${seconds}::float8))
        WHERE id = ${runId} AND lease_token = ${token}`);
}

/** Notes what dbt said of being interrupted, over what was noted before. Does nothing once the lease is lost. */
export async function noteLastWords(
  db: Database,
  { runId, token }: Lease,
  lines: readonly string[],
): Promise<void> {
  await db.$executeRaw`
    UPDATE runs SET last_words = ${lines} WHERE id = ${runId} AND lease_token = ${token}`;
}
