import { setTimeout as delay } from 'node:timers/promises';
import { createPostgresBackend } from 'bullmq';
import { BreakableClient } from './db.ts';

const lookAgainMs = 1_000;

/** BullMQ's tables are in the schema `bullmq`, and made when they are missing. */
export function postgresConnection(url: string) {
  return { Client: BreakableClient, connectionString: url, migrate: true, max: 2 };
}

/**
 * BullMQ's way to keep its messages in Postgres, for a Postgres that may be away just then. BullMQ looks once whether its
 * tables are there, and a queue or worker whose first look fails says so for ever: here it looks until it has an answer,
 * or is closed, and reports each look that failed.
 */
export const postgresBackend: typeof createPostgresBackend = (name, options, more) => {
  const backend = createPostgresBackend(name, options, more);
  const { connection } = backend as unknown as { connection: Connection };
  const lookOnce = connection.waitUntilReady.bind(connection);
  const look = async () => {
    for (; ; await delay(lookAgainMs)) {
      try {
        connection.readyPromise = undefined;
        return await lookOnce();
      } catch (error) {
        if (connection.pool.ending) throw error;
        connection.emitError(error);
      }
    }
  };
  let ready: Promise<void> | undefined;
  connection.waitUntilReady = () => (ready ??= look());
  return backend;
};

/** BullMQ's own, as far as it matters here. */
interface Connection {
  waitUntilReady(): Promise<void>;
  /** Of the last look. */
  readyPromise: Promise<void> | undefined;
  emitError(error: unknown): void;
  pool: { ending: boolean };
}
