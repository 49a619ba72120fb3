import type { Database, Transaction } from '../db.ts';
import { olderThan, type Position } from '../paging.ts';

export async function insertDelivery(
  tx: Transaction,
  delivery: {
    id: string;
    runId: string;
    jobId: string;
    kind: string;
    event: string;
    url: string;
    body: string;
    headers: string;
    secret: string;
    state: 'pending';
  },
): Promise<void> {
  await tx.delivery.create({ data: delivery, select: { id: true } });
}

/**
 * Pending -> sending: whoever gets it may send, for as long as `sendingSince` stays as it is. It is handed to somebody
 * else only when no try was begun.
 */
export async function takeDelivery(db: Database, id: string) {
  const taken = await db.$executeRaw`
    UPDATE deliveries SET state = 'sending', sending_since = clock_timestamp() WHERE id = ${id} AND state = 'pending'`;
  return taken === 1 ? db.delivery.findUniqueOrThrow({ where: { id } }) : null;
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

/** Deleted or not: what a job's webhooks came to stays readable. */
export async function isJobKnown(
  db: Database,
  { jobId, projectId, organizationId }: { jobId: string; projectId: string; organizationId: string },
): Promise<boolean> {
  return (await db.job.count({ where: { id: jobId, projectId, project: { organizationId } } })) > 0;
}

export function listDeliveries(
  db: Database,
  where: { jobId: string; projectId: string; organizationId: string },
  after: Position | undefined,
  limit: number,
) {
  return db.delivery.findMany({
    where: {
      jobId: where.jobId,
      job: { projectId: where.projectId, project: { organizationId: where.organizationId } },
      ...olderThan(after),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit,
    include: { tries: { orderBy: { number: 'asc' } } },
  });
}
