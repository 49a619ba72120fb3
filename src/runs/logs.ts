import { channel } from '../changes.ts';
import type { Context } from '../context.ts';
import type { Lease } from './lease.ts';

const pageBytes = 256 * 1024;
/** How long a follower waits before it looks again without having been told to. */
export const lookAgainMs = 5_000;

/**
 * Adds `content` to a run's stored log at `startsAt` (bytes); again is the same as once. False when the lease is lost or
 * the log has another length: then nothing was stored.
 */
export async function appendLog(
  { pool }: Pick<Context, 'pool'>,
  { runId, token }: Lease,
  piece: { startsAt: number; content: Buffer; truncated: boolean },
): Promise<boolean> {
  const { rows } = await pool.query<{ isStored: boolean }>({
    name: 'append-log',
    text: `
      WITH held AS (
        UPDATE runs SET log_bytes = $3::bigint + length($4::bytea), log_truncated = log_truncated OR $5
        WHERE id = $1 AND lease_token = $2 AND log_bytes = $3 RETURNING id),
      told AS (SELECT pg_notify('${channel}', id) FROM held),
      added AS (
        INSERT INTO log_chunks (run_id, starts_at, content) SELECT held.id, $3, $4 FROM held, told RETURNING run_id)
      SELECT EXISTS (SELECT FROM added) OR EXISTS (
        -- Stored before, by a call whose answer did not arrive.
        SELECT FROM runs JOIN log_chunks ON log_chunks.run_id = runs.id
        WHERE runs.id = $1 AND lease_token = $2 AND log_bytes = $3::bigint + length($4::bytea)
          AND starts_at = $3 AND content = $4) AS "isStored"`,
    values: [runId, token, piece.startsAt, piece.content, piece.truncated],
  });
  return rows[0]?.isStored === true;
}

/** The stored log from byte `from` on, at most some 256 KiB. Empty when there is no more. */
export async function readLog({ pool }: Pick<Context, 'pool'>, runId: string, from: number): Promise<Buffer> {
  const { rows } = await pool.query<{ starts_at: string; content: Buffer }>({
    name: 'read-log',
    text: `
      SELECT starts_at, content FROM log_chunks
      WHERE run_id = $1 AND starts_at + length(content) > $2
      ORDER BY starts_at LIMIT 4`,
    values: [runId, from],
  });
  const pieces = rows.map((row) => row.content.subarray(Math.max(0, from - Number(row.starts_at))));
  return Buffer.concat(pieces).subarray(0, pageBytes);
}

/**
 * A run's log as it comes, from byte `from` to the end of the run, or of the part that is wanted. Ends early when the
 * signal aborts. `isOver`: whether nothing more is waited for. `endsAt`: where the wanted part ends; null: not known.
 */
export async function* followLog(
  context: Pick<Context, 'pool' | 'changes'>,
  runId: string,
  options: {
    from: number;
    signal: AbortSignal;
    isOver: () => Promise<boolean>;
    endsAt: () => Promise<number | null>;
  },
): AsyncGenerator<Buffer> {
  const watch = context.changes.watch(runId);
  options.signal.addEventListener('abort', watch.close, { once: true });
  try {
    for (let position = options.from; !options.signal.aborted;) {
      // Asked before reading: whatever is stored after this look, the next round finds.
      const over = await options.isOver();
      const stored = await readLog(context, runId, position);
      // Asked after reading: the end of a part is stored before what comes after it.
      const left = ((await options.endsAt()) ?? Infinity) - position;
      const content = stored.subarray(0, Math.max(0, left));
      position += content.length;
      if (content.length > 0) yield content;
      else if (over || left <= 0) return;
      else await watch.next(lookAgainMs);
    }
  } finally {
    options.signal.removeEventListener('abort', watch.close);
    watch.close();
  }
}
