import type { Database, Transaction } from '../db.ts';
import type { Position } from '../paging.ts';

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

/** Pending -> sending, once: whoever gets it may send, and nobody else ever will. */
export async function takeDelivery(db: Database, id: string) {
  const taken = await db.$executeRaw`
    UPDATE deliveries SET state = 'sending', sending_since = clock_timestamp() WHERE id = ${id} AND state = 'pending'`;
  return taken === 1 ? db.delivery.findUniqueOrThrow({ where: { id } }) : null;
}

/** To be called just before each POST. False when the delivery was given up as unknown: nothing may be sent then. */
export async function beginTry(db: Database, deliveryId: string, number: number): Promise<boolean> {
  const begun = await db.$executeRaw`
    INSERT INTO delivery_tries (delivery_id, number)
    SELECT id, ${number} FROM deliveries WHERE id = ${deliveryId} AND state = 'sending' FOR UPDATE`;
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

/** Sending -> unknown, for deliveries whose worker must be gone: what it had sent nobody knows. */
export async function giveUpHalfSent(db: Database, olderThanSeconds: number): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    UPDATE deliveries SET state = 'unknown'
    WHERE state = 'sending' AND sending_since < clock_timestamp() - make_interval(secs => ${olderThanSeconds})
    RETURNING id`;
  return rows.map((row) => row.id);
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
      ...(after && {
        OR: [{ createdAt: { lt: after.createdAt } }, { createdAt: after.createdAt, id: { lt: after.id } }],
      }),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit,
    include: { tries: { orderBy: { number: 'asc' } } },
  });
}
