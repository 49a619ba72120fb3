import type { JudgedCondition } from '../conditions.ts';
import { Prisma, type Database, type Transaction } from '../db.ts';
import { olderThan, type Position } from '../paging.ts';
import type { Verdict } from './schema.ts';

export interface NewEvent {
  id: string;
  /** Null: the sender gave none. */
  externalId: string | null;
  body: string;
}

/**
 * Returns those that are new, with when they came. In the order of the senders' ids, as everybody who records several
 * does; one that somebody else is recording is waited for.
 */
export async function insertEvents(
  tx: Transaction,
  source: { id: string; organizationId: string },
  events: NewEvent[],
): Promise<Map<string, Date>> {
  const sorted = events.toSorted((a, b) => ((a.externalId ?? '') < (b.externalId ?? '') ? -1 : 1));
  const made = await tx.$queryRaw<{ id: string; createdAt: Date }[]>`
    INSERT INTO events (id, organization_id, source_id, external_id, body, created_at)
    SELECT id, ${source.organizationId}, ${source.id}, NULLIF(external_id, ''), body, clock_timestamp()
    FROM unnest(${sorted.map(({ id }) => id)}::text[], ${sorted.map(({ externalId }) => externalId ?? '')}::text[],
      ${sorted.map(({ body }) => body)}::text[]) AS given (id, external_id, body)
    ON CONFLICT (source_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
    RETURNING id, created_at AS "createdAt"`;
  return new Map(made.map(({ id, createdAt }) => [id, createdAt]));
}

/** The ids of events by the sender's. */
export async function findEventIds(
  tx: Transaction,
  sourceId: string,
  externalIds: string[],
): Promise<Map<string, string>> {
  if (externalIds.length === 0) return new Map();
  const rows = await tx.event.findMany({
    where: { sourceId, externalId: { in: externalIds } },
    select: { id: true, externalId: true },
  });
  return new Map(rows.map(({ id, externalId }) => [externalId!, id]));
}

export interface NewVerdict {
  eventId: string;
  ruleId: string;
  verdict: Verdict;
  conditions: JudgedCondition[];
  reason: string | null;
  gatheringId: string | null;
  runId: string | null;
}

export async function insertVerdicts(tx: Transaction, verdicts: NewVerdict[]): Promise<void> {
  for (let first = 0; first < verdicts.length; first += verdictsAtOnce) {
    const some = JSON.stringify(verdicts.slice(first, first + verdictsAtOnce));
    await tx.$executeRaw`
      INSERT INTO event_verdicts (event_id, rule_id, verdict, conditions, reason, gathering_id, run_id)
      SELECT "eventId", "ruleId", verdict, conditions, reason, "gatheringId", "runId"
      FROM jsonb_to_recordset(${some}::jsonb) AS given ("eventId" text, "ruleId" text, verdict text,
        conditions jsonb, reason text, "gatheringId" text, "runId" text)`;
  }
}

/** One may hold 50 conditions with 2 KB each of what was there: that of many rules and events is too long for a text. */
const verdictsAtOnce = 500;

export interface OpenGathering {
  id: string;
  closesAt: Date;
  eventCount: number;
  bytes: number;
  arrived: string[];
}

/** Its rule is locked. */
export function findOpenGathering(tx: Transaction, ruleId: string): Promise<OpenGathering | null> {
  return tx.eventGathering.findFirst({ where: { ruleId, closedAt: null } });
}

/** Empty as yet. */
export async function insertGathering(
  tx: Transaction,
  gathering: { id: string; ruleId: string; openedAt: Date; closesAt: Date },
): Promise<void> {
  await tx.eventGathering.create({ data: gathering, select: { id: true } });
}

/** `isOver`: it takes no more, and its rule may have another. */
export async function updateGathering(
  tx: Transaction,
  { id, eventCount, bytes, arrived }: Omit<OpenGathering, 'closesAt'>,
  isOver: boolean,
): Promise<void> {
  const closed = isOver ? { closedAt: new Date() } : {};
  await tx.eventGathering.update({
    where: { id },
    data: { eventCount, bytes, arrived, ...closed },
    select: { id: true },
  });
}

/** By the database's clock. */
export async function findDueGatherings(
  db: Database,
  limit: number,
): Promise<{ id: string; ruleId: string }[]> {
  return db.$queryRaw`
    SELECT id, rule_id AS "ruleId" FROM event_gatherings
    WHERE closed_at IS NULL AND closes_at <= (SELECT clock_timestamp()) ORDER BY closes_at LIMIT ${limit}`;
}

export async function isGatheringDue(tx: Transaction, id: string): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT id FROM event_gatherings WHERE id = ${id} AND closed_at IS NULL AND closes_at <= clock_timestamp()`;
  return rows.length > 0;
}

/** All of its events become what it has become. */
export async function closeGathering(
  tx: Transaction,
  id: string,
  became: { runId: string } | { reason: string },
): Promise<void> {
  const runId = 'runId' in became ? became.runId : null;
  const reason = 'reason' in became ? became.reason : null;
  const verdict: Verdict = runId === null ? 'refused' : 'run';
  await tx.$executeRaw`
    UPDATE event_verdicts SET verdict = ${verdict}, run_id = ${runId}, reason = ${reason} WHERE gathering_id = ${id}`;
  await tx.$executeRaw`UPDATE event_gatherings SET closed_at = clock_timestamp() WHERE id = ${id}`;
}

export interface StoredEvent {
  id: string;
  body: string;
  createdAt: Date;
}

const pageSize = 200;

/** In the order in which they came, a page at a time. */
export async function* eventsOfGathering(
  tx: Transaction,
  gatheringId: string,
): AsyncGenerator<StoredEvent[]> {
  yield* pages((after) =>
    tx.event.findMany({
      where: { verdicts: { some: { gatheringId } }, ...newer(after) },
      select: { id: true, body: true, createdAt: true },
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      take: pageSize,
    }),
  );
}

/** Likewise those of a source since then. */
export async function* eventsOfSource(
  db: Database,
  sourceId: string,
  since: Date,
): AsyncGenerator<StoredEvent[]> {
  yield* pages((after) =>
    db.event.findMany({
      where: { sourceId, createdAt: { gte: since }, ...newer(after) },
      select: { id: true, body: true, createdAt: true },
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      take: pageSize,
    }),
  );
}

async function* pages(
  read: (after: StoredEvent | undefined) => Promise<StoredEvent[]>,
): AsyncGenerator<StoredEvent[]> {
  for (let last: StoredEvent | undefined; ;) {
    const page = await read(last);
    if (page.length > 0) yield page;
    if (page.length < pageSize) return;
    last = page.at(-1);
  }
}

function newer(after: StoredEvent | undefined) {
  if (after === undefined) return {};
  const { createdAt, id } = after;
  return { OR: [{ createdAt: { gt: createdAt } }, { createdAt, id: { gt: id } }] };
}

/** When the newest `count` events of a source began, but not before `since`. */
export async function findBeginning(
  db: Database,
  sourceId: string,
  since: Date,
  count: number,
): Promise<Date> {
  const first = await db.event.findFirst({
    where: { sourceId, createdAt: { gte: since } },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    skip: count,
    select: { createdAt: true },
  });
  return first === null ? since : new Date(first.createdAt.getTime() + 1);
}

const shown = {
  source: { select: { name: true } },
  verdicts: {
    include: { rule: { select: { name: true } }, gathering: true },
    orderBy: { ruleId: 'asc' },
  },
} as const;

export type ShownEvent = Prisma.EventGetPayload<{ include: typeof shown }>;

export function findEvent(db: Database, organizationId: string, id: string): Promise<ShownEvent | null> {
  return db.event.findFirst({ where: { id, organizationId }, include: shown });
}

export function findEventsOfIds(db: Database, ids: string[]): Promise<ShownEvent[]> {
  return db.event.findMany({ where: { id: { in: ids } }, include: shown });
}

export interface EventFilter {
  organizationId: string;
  sourceId?: string | undefined;
  ruleId?: string | undefined;
  verdict?: Verdict | undefined;
  runId?: string | undefined;
}

/** Newest first. */
export function listEvents(
  db: Database,
  { organizationId, sourceId, ruleId, verdict, runId }: EventFilter,
  after: Position | undefined,
  limit: number,
): Promise<ShownEvent[]> {
  const judged = {
    ...(ruleId === undefined ? {} : { ruleId }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(runId === undefined ? {} : { runId }),
  };
  return db.event.findMany({
    where: {
      organizationId,
      ...(sourceId === undefined ? {} : { sourceId }),
      ...(Object.keys(judged).length === 0 ? {} : { verdicts: { some: judged } }),
      ...olderThan(after),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit,
    include: shown,
  });
}
