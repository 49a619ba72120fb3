import { createPostgresBackend } from 'bullmq';
import { BreakableClient, patiently } from './db.ts';

/** BullMQ's tables are in the schema `bullmq`, and made when they are missing. */
export function postgresConnection(url: string) {
  return { Client: BreakableClient, connectionString: url, migrate: true, max: 2 };
}

/**
 * BullMQ's way to keep its messages in Postgres, for a Postgres that may be away just then. BullMQ looks once whether its
 * tables are there, and a queue or worker whose first look fails says so for ever: here it looks until it has an answer.
 */
export const postgresBackend: typeof createPostgresBackend = (name, options, more) => {
  const backend = createPostgresBackend(name, options, more);
  const { connection } = backend as unknown as { connection: Connection };
  const lookOnce = connection.waitUntilReady.bind(connection);
  let ready: Promise<void> | undefined;
  connection.waitUntilReady = () => {
    const look = () => {
      connection.readyPromise = undefined;
      return lookOnce();
    };
    ready ??= patiently(look, { forMs: Infinity });
    return ready;
  };
  return backend;
};

interface Connection {
  waitUntilReady(): Promise<void>;
  /** Of the last look. */
  readyPromise: Promise<void> | undefined;
}
