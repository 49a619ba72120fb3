import { setTimeout as delay } from 'node:timers/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { AppError, type FieldProblem } from './errors.ts';
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

/**
 * A connection that may break at any time. One that somebody has taken out of a pool and is not listening to would end
 * the process then; whatever is asked of it fails anyhow.
 */
export class BreakableClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

export function connectDatabase(
  url: string,
  options: { maxConnections: number; onError: (error: Error) => void },
): DatabaseConnection {
  const pool = new pg.Pool({
    Client: BreakableClient,
    connectionString: url,
    max: options.maxConnections,
    connectionTimeoutMillis: 5_000,
    // No statement of ours takes this long. The server ends it first, so that what we call failed has failed; the
    // last limit is for a line that swallows everything.
    statement_timeout: 8_000,
    idle_in_transaction_session_timeout: 10_000,
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

/**
 * A statement whose text never changes: each connection of the pool is told it once, and names it from then on. For the
 * few that are asked all the time; what they find is pg's: a `bigint` is a text, so cast it to `float8`.
 *
 * `name`: its own. `text`: with `$1` for the first value.
 */
export function statement<Row extends object>(
  name: string,
  text: string,
): (db: pg.Pool | Database | Transaction, values: unknown[]) => Promise<Row[]> {
  return async (db, values) =>
    db instanceof pg.Pool
      ? (await db.query<Row>({ name, text, values })).rows
      : db.$queryRawUnsafe<Row[]>(text, ...values);
}

const retryAwayMs = 300;

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
  '57014',
  '25P03',
  '08000',
  '08003',
  '08006',
]);

/** In the words of Prisma's adapter, for statements of ours that went through it as they are. */
const awayKinds = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
]);

const awayMessages = [
  'Connection terminated',
  'is not queryable',
  'timeout exceeded when trying to connect',
  'Query read timeout',
  'Server has closed the connection',
  'Unable to start a transaction',
];

/** True when the error says that Postgres can't be reached now, and the same call may work in a moment. */
export function isDatabaseAway(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    if (wordsOf(cause).some((word) => awayCodes.has(word) || awayKinds.has(word))) return true;
    const { message } = cause;
    if (awayMessages.some((part) => message.includes(part))) return true;
  }
  return false;
}

/**
 * Does the work again while Postgres is away, for `forMs` at most. The work may have been done by a call that failed:
 * it must come to the same when it is done twice. Waits no longer once the signal aborts. `onAway`: called once, when the
 * waiting begins.
 */
export async function patiently<T>(
  work: () => Promise<T>,
  { forMs, signal, onAway }: { forMs: number; signal?: AbortSignal; onAway?: (error: unknown) => void },
): Promise<T> {
  let isWaiting = false;
  for (const startedAt = performance.now(); ; await delay(retryAwayMs)) {
    try {
      return await work();
    } catch (error) {
      const isOver = performance.now() - startedAt > forMs || signal?.aborted === true;
      if (!isDatabaseAway(error) || isOver) throw error;
      if (!isWaiting) onAway?.(error);
      isWaiting = true;
    }
  }
}

/** Node's or Prisma's own code, and the adapter's kind and Postgres' code behind it. */
function wordsOf(error: Error & { code?: unknown; meta?: unknown }): string[] {
  const { driverAdapterError } = (error.meta ?? {}) as {
    driverAdapterError?: { cause?: { kind?: unknown; originalCode?: unknown } };
  };
  const { kind, originalCode } = driverAdapterError?.cause ?? {};
  return [error.code, kind, originalCode].filter((word) => typeof word === 'string');
}

/** Does writes: one that a unique constraint refuses is a conflict, told in this sentence. */
export function unlessTaken(detail: string, problems: FieldProblem[] = []) {
  return async <Result>(write: () => Promise<Result>): Promise<Result> => {
    try {
      return await write();
    } catch (error) {
      if (!isTaken(error)) throw error;
      throw new AppError('conflict', detail, { problems, cause: error });
    }
  };
}

function isTaken(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}
