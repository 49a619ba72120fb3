import { EventEmitter } from 'node:events';
import pg from 'pg';
import type { Database, Transaction } from './db.ts';
import type { Log } from './log.ts';

/** The Postgres channel; a notification's payload is the run's id, or what else is watched of it. */
export const channel = 'dctl_run_changed';

/** Wakes whoever waits for news of a run: new log text, a new status. */
export interface Changes {
  watch(runId: string): Watch;
  close(): Promise<void>;
}

export interface Watch {
  /** Resolves when something changed since the last call, at once if it already has, or when the time is over. */
  next(timeoutMs: number): Promise<void>;
  /** Wakes whoever waits, and ends the watch. */
  close(): void;
}

/** Tells all listeners of a run. Inside a transaction it takes effect when that commits. */
export async function announceRunChange(db: Database | Transaction, runId: string): Promise<void> {
  await db.$executeRaw`SELECT pg_notify(${channel}, ${runId})`;
}

/**
 * One Postgres connection listens for all waiters of this process. While it is broken waiters live on their
 * time limits, so nothing is missed for longer than that.
 */
export function listenForChanges(url: string, log: Log): Changes {
  const waiters = new EventEmitter().setMaxListeners(0);
  let client: pg.Client | undefined;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;

  const connect = async () => {
    const connecting = new pg.Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    let lost = false;
    const lose = (error?: Error) => {
      if (lost || closed) return;
      lost = true;
      log.warn({ error }, 'listening for run changes was interrupted');
      connecting.end().catch(() => undefined);
      retry = setTimeout(() => void connect(), 1_000);
    };
    connecting.on('error', lose);
    connecting.on('end', () => lose());
    connecting.on('notification', ({ payload }) => payload && waiters.emit(payload));
    client = connecting;
    try {
      await connecting.connect();
      await connecting.query(`LISTEN ${channel}`);
    } catch (error) {
      lose(error instanceof Error ? error : undefined);
    }
  };
  void connect();

  return {
    watch(runId) {
      let changed = false;
      let wake: (() => void) | undefined;
      const hear = () => {
        changed = true;
        wake?.();
      };
      waiters.on(runId, hear);
      return {
        async next(timeoutMs) {
          if (!changed) {
            const { promise, resolve } = Promise.withResolvers<void>();
            const timer = setTimeout(resolve, timeoutMs);
            wake = resolve;
            await promise;
            clearTimeout(timer);
          }
          changed = false;
        },
        close() {
          waiters.off(runId, hear);
          hear();
        },
      };
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      await client?.end().catch(() => undefined);
    },
  };
}
