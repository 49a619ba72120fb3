import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { Prisma, PrismaClient } from './generated/prisma/client.ts';

export type Database = PrismaClient;
/** What an operation inside a transaction is handed first. */
export type Transaction = Prisma.TransactionClient;
export { Prisma };

export interface DatabaseConnection {
  db: Database;
  /** The pool below Prisma, for bytes that must not be copied more often than needed (run logs). */
  pool: pg.Pool;
  close(): Promise<void>;
}

export function connectDatabase(
  url: string,
  options: { maxConnections: number; onError: (error: Error) => void },
): DatabaseConnection {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.maxConnections,
    connectionTimeoutMillis: 5_000,
    // A line that swallows everything must not hold its requests for ever. No statement of ours takes this long.
    query_timeout: 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  });
  // An idle connection that breaks reports it here; without a listener the process would end.
  pool.on('error', options.onError);
  const db = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    db,
    pool,
    async close() {
      await db.$disconnect();
      if (!pool.ended) await pool.end();
    },
  };
}

const awayCodes = new Set([
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
  'P2037',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08000',
  '08003',
  '08006',
]);

const awayMessages = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Query read timeout',
  'Server has closed the connection',
  'Unable to start a transaction',
];

/** True when the error says that Postgres can't be reached now, and the same call may work in a moment. */
export function isDatabaseAway(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    const { code, message } = cause as Error & { code?: unknown };
    if (typeof code === 'string' && awayCodes.has(code)) return true;
    if (awayMessages.some((part) => message.includes(part))) return true;
  }
  return false;
}

/** True when a unique constraint refused the write. */
export function isTaken(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}
