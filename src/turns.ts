import pg from 'pg';
import type { Context } from './context.ts';

/**
 * Does the work, unless another process is at the work of this name; false then.
 *
 * A turn is a lock in Postgres on a connection of its own, held by a transaction. Postgres ends that when it hears
 * nothing for the time of a lease: whoever is frozen half-way, or cut off, keeps the others from it no longer. So two
 * may be at it after all, and the work must come to the same then. `signal` aborts when the turn is lost.
 */
export async function inTurn(
  { config }: Pick<Context, 'config'>,
  name: string,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<boolean> {
  const silentMs = Math.max(config.DCTL_LEASE_SECONDS * 1_000, 500);
  const client = new pg.Client({
    connectionString: config.DATABASE_URL,
    application_name: `dctl ${name}, ${config.DCTL_WORKER_NAME}`.slice(0, 63),
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
    idle_in_transaction_session_timeout: silentMs,
  });
  const lost = new AbortController();
  client.on('error', () => lost.abort());
  let heartbeat: NodeJS.Timeout | undefined;
  try {
    await client.connect();
    await client.query('BEGIN');
    const { rows } = await client.query<{ isMine: boolean }>(
      'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS "isMine"',
      [`dctl ${name}`],
    );
    if (rows[0]?.isMine !== true) return false;
    let isAsking = false;
    heartbeat = setInterval(() => {
      if (isAsking) return;
      isAsking = true;
      client
        .query('SELECT 1')
        .catch(() => lost.abort())
        .finally(() => (isAsking = false));
    }, silentMs / 4);
    await work(lost.signal);
    return true;
  } finally {
    clearInterval(heartbeat);
    // Nobody waits for a line that is dead: Postgres ends what is on it.
    client.end().catch(() => undefined);
  }
}

/** Does the work every so often until the signal aborts, never twice at once in this process. */
export function repeat(
  { log }: Pick<Context, 'log'>,
  seconds: number,
  work: () => Promise<unknown>,
  signal: AbortSignal,
): void {
  let atWork = false;
  const timer = setInterval(() => {
    if (atWork) return;
    atWork = true;
    work()
      .catch((error: unknown) => log.warn({ error }, 'a sweep failed'))
      .finally(() => (atWork = false));
  }, seconds * 1_000);
  signal.addEventListener('abort', () => clearInterval(timer));
}
