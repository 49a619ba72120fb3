import type { Database, Transaction } from '../db.ts';
import { olderThan, type Position } from '../paging.ts';

export interface NewDelivery {
  id: string;
  /** Null for a test. */
  runId: string | null;
  /** Null for a test of a subscription. */
  jobId: string | null;
  /** Whose event it is; left out where it is the job's own webhook. */
  subscriptionId?: string;
  /** Whose request it is; left out where it is a webhook. */
  hookId?: string;
  /** Of `run_finished` there is one a run; of `run_event` one of each event, a run and a subscription; of `hook` one a run and a hook. */
  kind: 'run_finished' | 'run_event' | 'hook' | 'sent_again' | 'test';
  event: string;
  url: string;
  body: string;
  headers: string;
  auth?: string | null;
  /** Sealed. Of a hook: `url` and `body` are as anybody may see them. */
  request?: string | null;
  /** Null: it is not signed. */
  secret: string | null;
  oldSecret?: string | null;
  /** `held`: it waits until what its run left can be read. `blocked`: it is never sent. */
  state: 'pending' | 'held' | 'blocked';
  sentAgainOf?: string;
  requestedBy?: string;
}

export async function insertDelivery(tx: Transaction, delivery: NewDelivery): Promise<void> {
  await tx.delivery.create({ data: delivery, select: { id: true } });
}

/** Without those that are recorded already: an event is told once. Returns the others' ids. */
export async function insertNewDeliveries(tx: Transaction, deliveries: NewDelivery[]): Promise<string[]> {
  const select = { id: true } as const;
  const made = await tx.delivery.createManyAndReturn({ data: deliveries, skipDuplicates: true, select });
  return made.map(({ id }) => id);
}

/** Says of deliveries that are never sent why that is. */
export async function explainBlocked(
  tx: Transaction,
  blocked: { deliveryId: string; explanation: string }[],
): Promise<void> {
  const data = blocked.map((each) => ({ ...each, number: 1, result: 'blocked' }));
  if (data.length > 0) await tx.deliveryTry.createMany({ data });
}

/**
 * Pending -> sending, if its time has come: whoever gets it may send, for as long as `sendingSince` stays as it is. It is handed to somebody
 * else only when no try was begun.
 */
export async function takeDelivery(db: Database, id: string): Promise<TakenDelivery | null> {
  const [taken] = await db.$queryRaw<TakenDelivery[]>`
    UPDATE deliveries SET state = 'sending', sending_since = clock_timestamp()
    WHERE id = ${id} AND state = 'pending' AND (not_before IS NULL OR not_before <= clock_timestamp())
    RETURNING id, run_id AS "runId", subscription_id AS "subscriptionId", hook_id AS "hookId", kind, event, url, body,
      headers, auth, request, secret,
      old_secret AS "oldSecret", sending_since AS "sendingSince",
      (SELECT count(*)::float8 FROM delivery_tries WHERE delivery_id = deliveries.id) AS "triesBefore"`;
  return taken ?? null;
}

export interface TakenDelivery {
  id: string;
  runId: string | null;
  subscriptionId: string | null;
  hookId: string | null;
  kind: string;
  event: string;
  url: string;
  body: string;
  headers: string;
  auth: string | null;
  request: string | null;
  secret: string | null;
  oldSecret: string | null;
  sendingSince: Date;
  /** Those of earlier takings: it was set aside after each. */
  triesBefore: number;
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

export async function endTry(db: Database, deliveryId: string, number: number, end: TryEnd): Promise<void> {
  await db.deliveryTry.update({
    where: { deliveryId_number: { deliveryId, number } },
    data: end,
    select: { number: true },
  });
}

export interface TryEnd {
  statusCode: number | null;
  durationMs: number | null;
  answer: string | null;
  result: string;
  explanation: string;
}

/** Ends a try whose retry is far off, and sending -> pending: until then nobody has the delivery. Twice is the same as once. */
export async function setAside(
  db: Database,
  taken: { id: string; sendingSince: Date | null },
  number: number,
  end: TryEnd,
  forMs: number,
): Promise<void> {
  await db.$executeRaw`
    WITH ended AS (
      UPDATE delivery_tries SET status_code = ${end.statusCode}, duration_ms = ${end.durationMs},
        answer = ${end.answer}, result = ${end.result}, explanation = ${end.explanation}
      WHERE delivery_id = ${taken.id} AND number = ${number})
    UPDATE deliveries SET
      state = 'pending',
      not_before = clock_timestamp() + make_interval(secs => ${forMs / 1_000}::float8)
    WHERE id = ${taken.id} AND state = 'sending' AND sending_since = ${taken.sendingSince}`;
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
 * For deliveries whose worker must be gone. Sending -> unknown where it had begun a try: what it had sent nobody knows.
 * Sending -> pending where it had not: nothing has left.
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
        WHEN EXISTS (SELECT FROM delivery_tries WHERE delivery_id = deliveries.id AND started_at >= sending_since)
        THEN 'unknown' ELSE 'pending' END
      WHERE id = ANY(${silent.map(({ id }) => id)})
      RETURNING id, state`;
  });
}

/** Deliveries nobody has taken for that long, although their time had come. */
export async function findForgottenDeliveries(db: Database, olderThanSeconds: number): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM deliveries
    WHERE state = 'pending'
      AND COALESCE(not_before, created_at) < clock_timestamp() - make_interval(secs => ${olderThanSeconds})
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
  { organizationId, jobId, runId, subscriptionId, hookId, state }: DeliveryFilter,
  after: Position | undefined,
  limit: number,
) {
  return db.delivery.findMany({
    where: {
      ...inOrganization(organizationId),
      ...(subscriptionId === undefined ? {} : { subscriptionId }),
      ...(hookId === undefined ? {} : { hookId }),
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
  subscriptionId?: string | undefined;
  hookId?: string | undefined;
  state?: string | undefined;
}

/** A test of a subscription is about no job. */
const inOrganization = (organizationId: string) => ({
  OR: [{ job: { project: { organizationId } } }, { subscription: { organizationId } }],
});

const withTries = { tries: { orderBy: { number: 'asc' } } } as const;

/** With its tries, the project of its job, and whose event it was. */
export function findDelivery(db: Database | Transaction, organizationId: string, id: string) {
  return db.delivery.findFirst({
    where: { id, ...inOrganization(organizationId) },
    include: {
      ...withTries,
      job: { select: { projectId: true } },
      subscription: true,
      hook: { select: { active: true, deletedAt: true } },
    },
  });
}

/** Whoever wants to send it again waits for whoever else does. The lock ends with the transaction. */
export async function lockDelivery(tx: Transaction, id: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM deliveries WHERE id = ${id} FOR NO KEY UPDATE`;
}

/** Whether it is on its way, or is being sent again. */
export async function isUnderWay(tx: Transaction, id: string): Promise<boolean> {
  const where = { OR: [{ id }, { sentAgainOf: id }], state: { in: ['held', 'pending', 'sending'] } };
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
