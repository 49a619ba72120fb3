import type { Database, Transaction } from '../db.ts';
import { olderThan, type Position } from '../paging.ts';

export interface NewDelivery {
  id: string;
  /** Null for a test. */
  runId: string | null;
  jobId: string;
  /** Of `run_finished` there is one a run. */
  kind: 'run_finished' | 'sent_again' | 'test';
  event: string;
  url: string;
  body: string;
  headers: string;
  secret: string;
  state: 'pending';
  sentAgainOf?: string;
  requestedBy?: string;
}

export async function insertDelivery(tx: Transaction, delivery: NewDelivery): Promise<void> {
  await tx.delivery.create({ data: delivery, select: { id: true } });
}

/**
 * Pending -> sending: whoever gets it may send, for as long as `sendingSince` stays as it is. It is handed to somebody
 * else only when no try was begun.
 */
export async function takeDelivery(db: Database, id: string): Promise<TakenDelivery | null> {
  const [taken] = await db.$queryRaw<TakenDelivery[]>`
    UPDATE deliveries SET state = 'sending', sending_since = clock_timestamp() WHERE id = ${id} AND state = 'pending'
    RETURNING id, run_id AS "runId", kind, event, url, body, headers, secret, sending_since AS "sendingSince"`;
  return taken ?? null;
}

export interface TakenDelivery {
  id: string;
  runId: string | null;
  kind: string;
  event: string;
  url: string;
  body: string;
  headers: string;
  secret: string;
  sendingSince: Date;
}

/**
 * To be called just before each POST. False when the delivery was given up, or is another worker's by now: nothing may
 * be sent then. Twice is the same as once.
 */
export async function beginTry(
  db: Database,
  taken: { id: string; sendingSince: Date | null },
  number: number,
): Promise<boolean> {
  const begun = await db.$executeRaw`
    INSERT INTO delivery_tries (delivery_id, number)
    SELECT id, ${number} FROM deliveries
    WHERE id = ${taken.id} AND state = 'sending' AND sending_since = ${taken.sendingSince} FOR UPDATE
    ON CONFLICT (delivery_id, number) DO UPDATE SET started_at = excluded.started_at`;
  return begun === 1;
}

export async function endTry(
  db: Database,
  deliveryId: string,
  number: number,
  end: {
    statusCode: number | null;
    durationMs: number | null;
    answer: string | null;
    result: string;
    explanation: string;
  },
): Promise<void> {
  await db.deliveryTry.update({
    where: { deliveryId_number: { deliveryId, number } },
    data: end,
    select: { number: true },
  });
}

/** Sending -> final. Does nothing when the delivery was given up as unknown meanwhile. */
export async function endDelivery(
  db: Database,
  id: string,
  state: 'delivered' | 'failed' | 'blocked',
): Promise<void> {
  await db.$executeRaw`UPDATE deliveries SET state = ${state} WHERE id = ${id} AND state = 'sending'`;
}

/**
 * For deliveries whose worker must be gone. Sending -> unknown where a try was begun: what it had sent nobody knows.
 * Sending -> pending where none was: nothing has left.
 */
export async function giveUpHalfSent(
  db: Database,
  olderThanSeconds: number,
): Promise<{ id: string; state: 'unknown' | 'pending' }[]> {
  return db.$transaction(async (tx) => {
    // Locked before the tries are looked at, so that none is begun in between.
    const silent = await tx.$queryRaw<{ id: string }[]>`
      SELECT id FROM deliveries
      WHERE state = 'sending' AND sending_since < clock_timestamp() - make_interval(secs => ${olderThanSeconds})
      FOR UPDATE SKIP LOCKED`;
    if (silent.length === 0) return [];
    return tx.$queryRaw<{ id: string; state: 'unknown' | 'pending' }[]>`
      UPDATE deliveries SET state = CASE
        WHEN EXISTS (SELECT FROM delivery_tries WHERE delivery_id = deliveries.id) THEN 'unknown' ELSE 'pending' END
      WHERE id = ANY(${silent.map(({ id }) => id)})
      RETURNING id, state`;
  });
}

/** Deliveries nobody has taken for that long. */
export async function findForgottenDeliveries(db: Database, olderThanSeconds: number): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM deliveries
    WHERE state = 'pending' AND created_at < clock_timestamp() - make_interval(secs => ${olderThanSeconds})
    ORDER BY created_at LIMIT 500`;
  return rows.map((row) => row.id);
}

/** Deleted or not, unless its project is: what a job's webhooks came to stays readable. */
export async function isJobKnown(
  db: Database,
  { jobId, projectId, organizationId }: { jobId: string; projectId: string; organizationId: string },
): Promise<boolean> {
  const project = { organizationId, deletedAt: null };
  return (await db.job.count({ where: { id: jobId, projectId, project } })) > 0;
}

export async function isRunKnown(db: Database, organizationId: string, runId: string): Promise<boolean> {
  return (await db.run.count({ where: { id: runId, organizationId } })) > 0;
}

export function listDeliveries(
  db: Database,
  { organizationId, jobId, runId, state }: DeliveryFilter,
  after: Position | undefined,
  limit: number,
) {
  return db.delivery.findMany({
    where: {
      job: { project: { organizationId } },
      ...(jobId === undefined ? {} : { jobId }),
      ...(runId === undefined ? {} : { runId }),
      ...(state === undefined ? {} : { state }),
      ...olderThan(after),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit,
    include: withTries,
  });
}

export interface DeliveryFilter {
  organizationId: string;
  jobId?: string | undefined;
  runId?: string | undefined;
  state?: string | undefined;
}

const withTries = { tries: { orderBy: { number: 'asc' } } } as const;

/** With its tries, and the project of its job. */
export function findDelivery(db: Database | Transaction, organizationId: string, id: string) {
  return db.delivery.findFirst({
    where: { id, job: { project: { organizationId } } },
    include: { ...withTries, job: { select: { projectId: true } } },
  });
}

/** Whoever wants to send it again waits for whoever else does. The lock ends with the transaction. */
export async function lockDelivery(tx: Transaction, id: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM deliveries WHERE id = ${id} FOR NO KEY UPDATE`;
}

/** Whether it is on its way, or is being sent again. */
export async function isUnderWay(tx: Transaction, id: string): Promise<boolean> {
  const where = { OR: [{ id }, { sentAgainOf: id }], state: { in: ['pending', 'sending'] } };
  return (await tx.delivery.count({ where })) > 0;
}

/** How many webhooks wait to be sent, and how many are being sent. */
export async function countOpenDeliveries(db: Database): Promise<{ pending: number; sending: number }> {
  const [counted] = await db.$queryRaw<{ pending: number; sending: number }[]>`
    SELECT count(*) FILTER (WHERE state = 'pending')::float8 AS pending,
      count(*) FILTER (WHERE state = 'sending')::float8 AS sending
    FROM deliveries WHERE state IN ('pending', 'sending')`;
  return counted!;
}
