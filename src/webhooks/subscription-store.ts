import { Prisma, type Database, type Transaction } from '../db.ts';

/** How many live ones an organization has. */
export function countSubscriptions(db: Database | Transaction, organizationId: string): Promise<number> {
  return db.webhookSubscription.count({ where: { organizationId, deletedAt: null } });
}

/** Oldest first. */
export function listSubscriptions(
  db: Database,
  organizationId: string,
  { limit, offset }: { limit: number; offset: number },
) {
  return db.webhookSubscription.findMany({
    where: { organizationId, deletedAt: null },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    skip: offset,
    take: limit,
    include: withLastTry,
  });
}

/** A deleted one is not found, unless it is asked for as well. */
export function findSubscription(
  db: Database | Transaction,
  organizationId: string,
  id: string,
  { alsoDeleted = false }: { alsoDeleted?: boolean } = {},
) {
  return db.webhookSubscription.findFirst({
    where: { id, organizationId, ...(alsoDeleted ? {} : { deletedAt: null }) },
    include: withLastTry,
  });
}

/** Of the delivery that was made last. */
const withLastTry = {
  deliveries: {
    orderBy: { createdAt: 'desc' },
    take: 1,
    select: { tries: { orderBy: { number: 'desc' }, take: 1, select: { statusCode: true } } },
  },
} as const;

/** In an organization, subscriptions are made one at a time. The lock ends with the transaction. */
export async function lockSubscriptions(tx: Transaction, organizationId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('subscriptions ' || ${organizationId}, 0))`;
}

export async function lockSubscription(tx: Transaction, id: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM webhook_subscriptions WHERE id = ${id} FOR NO KEY UPDATE`;
}

export interface StoredSubscription {
  name: string;
  description: string;
  url: string;
  eventTypes: string[];
  /** Empty: all of the organization. */
  jobIds: string[];
  active: boolean;
}

export function insertSubscription(
  tx: Transaction,
  subscription: StoredSubscription & { id: string; organizationId: string; secret: string },
) {
  return tx.webhookSubscription.create({ data: subscription, include: withLastTry });
}

export function updateSubscription(tx: Transaction, id: string, data: StoredSubscription) {
  return tx.webhookSubscription.update({
    where: { id },
    data: { ...data, updatedAt: new Date() },
    include: withLastTry,
  });
}

/** Its deliveries stay, and those on their way go on. */
export async function markSubscriptionDeleted(tx: Transaction, id: string): Promise<void> {
  await tx.webhookSubscription.update({
    where: { id },
    data: { deletedAt: new Date() },
    select: { id: true },
  });
}

/** Whether anybody is to hear one of the events of a run: a column of a statement about `runs`. */
export const isHeard = (events: readonly string[]) => Prisma.sql`EXISTS (
  SELECT FROM webhook_subscriptions AS heard_by
  WHERE heard_by.organization_id = runs.organization_id AND heard_by.deleted_at IS NULL AND heard_by.active
    AND heard_by.event_types && ${events}::text[]
    AND (heard_by.job_ids = '{}' OR runs.job_id = ANY(heard_by.job_ids)))`;

/** Who is to hear one of these events of a job's run. */
export function findSubscribers(
  tx: Transaction,
  { organizationId, jobId }: { organizationId: string; jobId: string },
  events: readonly string[],
) {
  return tx.webhookSubscription.findMany({
    where: {
      organizationId,
      deletedAt: null,
      active: true,
      eventTypes: { hasSome: [...events] },
      OR: [{ jobIds: { isEmpty: true } }, { jobIds: { has: jobId } }],
    },
    select: { id: true, name: true, url: true, secret: true, eventTypes: true },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  });
}

/** What a run event says, as it is in the database. */
export interface StoredRunEvent {
  accountNumber: number;
  jobNumber: number;
  jobName: string;
  runNumber: number;
  environmentNumber: number;
  environmentName: string;
  projectNumber: number;
  projectName: string;
  programVersion: string | null;
  status: string;
  statusReason: string | null;
  triggeredBy: string;
  requestedBy: string | null;
  cause: string | null;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** As the run is within the transaction. */
export async function findRunEvent(tx: Transaction, runId: string): Promise<StoredRunEvent> {
  const [found] = await tx.$queryRaw<StoredRunEvent[]>`
    SELECT organizations.number::float8 AS "accountNumber", jobs.number::float8 AS "jobNumber", jobs.name AS "jobName",
      runs.number::float8 AS "runNumber", environments.number::float8 AS "environmentNumber",
      environments.name AS "environmentName", projects.number::float8 AS "projectNumber", projects.name AS "projectName",
      -- Of this run, or else of the newest of its environment: what has only begun has not said it yet.
      (SELECT program_version
       FROM (SELECT id, created_at FROM runs AS newest WHERE environment_id = runs.environment_id
         ORDER BY created_at DESC, id DESC LIMIT 20) AS newest
       JOIN run_steps ON run_id = newest.id AND program_version IS NOT NULL
       ORDER BY newest.id = runs.id DESC, newest.created_at DESC, run_steps.number DESC LIMIT 1) AS "programVersion",
      runs.status, status_reason AS "statusReason", triggered_by AS "triggeredBy", requested_by AS "requestedBy", cause,
      started_at AS "startedAt", finished_at AS "finishedAt"
    FROM runs
    JOIN jobs ON jobs.id = runs.job_id
    JOIN environments ON environments.id = runs.environment_id
    JOIN projects ON projects.id = runs.project_id
    JOIN organizations ON organizations.id = runs.organization_id
    WHERE runs.id = ${runId}`;
  if (found === undefined) throw new Error('a run is not there whose event is to be told');
  return found;
}

/** Part of the statement that records artifacts: what waited for them waits no longer, and is told of once that is over. */
export const releaseHeld = (runId: string) => Prisma.sql`
  UPDATE deliveries SET state = 'pending', not_before = clock_timestamp()
  WHERE run_id = ${runId} AND kind = 'run_event' AND state = 'held'
  RETURNING id`;
