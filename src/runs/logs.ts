import { channel } from '../changes.ts';
import type { Context } from '../context.ts';
import type { Lease } from './lease.ts';

const pageBytes = 256 * 1024;
/** How long somebody who waits for news of a run waits before they look again without having been told to. */
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

/** What is stored of a log from byte $2 on, in at most four pieces. */
const storedFrom = `
  SELECT starts_at, content FROM log_chunks
  WHERE run_id = $1 AND starts_at + length(content) > $2
    -- The piece with that byte in it is the last one that begins before.
    AND starts_at >= COALESCE((
      SELECT starts_at FROM log_chunks WHERE run_id = $1 AND starts_at <= $2 ORDER BY starts_at DESC LIMIT 1), 0)
  ORDER BY starts_at LIMIT 4`;

/** The stored log from byte `from` on, at most some 256 KiB. Empty when there is no more. */
export async function readLog({ pool }: Pick<Context, 'pool'>, runId: string, from: number): Promise<Buffer> {
  const { rows } = await pool.query<StoredPiece>({
    name: 'read-log',
    text: storedFrom,
    values: [runId, from],
  });
  return joined(rows, from);
}

/** The same, together with how far the log has come, and its run, at that moment. */
export async function readNews(
  { pool }: Pick<Context, 'pool'>,
  runId: string,
  from: number,
): Promise<{ status: string; logBytes: number; content: Buffer }> {
  const { rows } = await pool.query<StoredPiece & { status: string; log_bytes: string }>({
    name: 'read-log-news',
    text: `
      SELECT status, log_bytes, piece.starts_at, piece.content
      FROM runs LEFT JOIN LATERAL (${storedFrom}) AS piece ON true WHERE runs.id = $1`,
    values: [runId, from],
  });
  const [first] = rows;
  if (first === undefined) throw new Error('a run whose log is followed is not there any more');
  const pieces = rows.filter(({ content }) => content !== null);
  return { status: first.status, logBytes: Number(first.log_bytes), content: joined(pieces, from) };
}

interface StoredPiece {
  starts_at: string;
  content: Buffer;
}

/** A copy: what is kept of it keeps no more than that in memory. */
function joined(pieces: StoredPiece[], from: number): Buffer {
  let room = pageBytes;
  const parts = pieces.map(({ starts_at: startsAt, content }) => {
    const part = content.subarray(Math.max(0, from - Number(startsAt))).subarray(0, room);
    room -= part.length;
    return part;
  });
  return Buffer.concat(parts);
}

/** The stored log from byte `from` to `to`, or to its end. Ends early when the signal aborts. */
export async function* readStored(
  context: Pick<Context, 'pool'>,
  runId: string,
  { from, to, signal }: { from: number; to: number | null; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  for (let position = from; !signal.aborted;) {
    const stored = await readLog(context, runId, position);
    const content = stored.subarray(0, Math.max(0, (to ?? Infinity) - position));
    if (content.length === 0) return;
    position += content.length;
    yield content;
  }
}
