import type { z } from 'zod';
import type { JudgedCondition } from '../conditions.ts';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { getRun, requireRun } from '../runs/runs.ts';
import { deliveriesOfRun } from '../webhooks/deliveries.ts';
import { findEvent, findEventsOfIds, listEvents, type ShownEvent } from './event-store.ts';
import { parseEvent } from './read-event.ts';
import type { eventDetails, eventList, eventQuery, eventView, Verdict } from './schema.ts';

type EventView = z.input<typeof eventView>;
type Details = z.input<typeof eventDetails>;

/** Newest first. */
export async function eventsOf(
  { db }: Context,
  { organizationId }: Principal,
  { limit, cursor, source_id: sourceId, rule_id: ruleId, verdict }: z.output<typeof eventQuery>,
): Promise<z.input<typeof eventList>> {
  const filter = { organizationId, sourceId, ruleId, verdict };
  return pageOf(await listEvents(db, filter, decodeCursor(cursor), limit + 1), limit, view);
}

/** Those that made a run begin, newest first. */
export async function eventsOfRun(
  context: Context,
  principal: Principal,
  runId: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof eventList>> {
  await requireRun(context, principal, runId);
  const filter = { organizationId: principal.organizationId, runId };
  return pageOf(await listEvents(context.db, filter, decodeCursor(cursor), limit + 1), limit, view);
}

/** The whole chain: what came, what each rule made of it and why, the runs, and whom they told. */
export async function getEvent(context: Context, principal: Principal, id: string): Promise<Details> {
  const event = await findEvent(context.db, principal.organizationId, id);
  if (event === null) throw new AppError('not_found', 'There is no such event.');
  const verdicts = await Promise.all(
    event.verdicts.map(async (verdict) => ({
      ...viewVerdict(verdict),
      conditions: verdict.conditions as unknown as JudgedCondition[],
      run: verdict.runId === null ? null : await runOf(context, principal, verdict.runId),
    })),
  );
  return {
    ...view(event),
    data: parseEvent(event.body),
    verdicts,
    note: verdicts.length === 0 ? 'When it came, its source had no rule that was switched on.' : null,
  };
}

/** Each in the place of its id; null: it is not kept any more. */
export async function viewEvents({ db }: Context, ids: string[]): Promise<(EventView | null)[]> {
  const found = new Map((await findEventsOfIds(db, ids)).map((event) => [event.id, view(event)]));
  return ids.map((id) => found.get(id) ?? null);
}

async function runOf(
  context: Context,
  principal: Principal,
  runId: string,
): Promise<NonNullable<Details['verdicts'][number]['run']>> {
  const [run, deliveries] = await Promise.all([
    getRun(context, principal, runId),
    deliveriesOfRun(context, principal, runId, { limit: 50 }),
  ]);
  const { id, name, job_id, status, triggered_by, cause, error_message, created_at, end_time, retried_by } =
    run;
  return {
    id,
    name,
    job_id,
    status,
    triggered_by,
    cause,
    error_message,
    created_at,
    end_time,
    retried_by,
    deliveries: deliveries.data,
  };
}

function view(event: ShownEvent): EventView {
  return {
    id: event.id,
    source_id: event.sourceId,
    source_name: event.source.name,
    external_id: event.externalId,
    received_at: event.createdAt.toISOString(),
    verdicts: event.verdicts.map(viewVerdict),
  };
}

function viewVerdict({ ruleId, rule, verdict, reason, runId, gathering }: ShownEvent['verdicts'][number]) {
  return {
    rule_id: ruleId,
    rule_name: rule.name,
    verdict: verdict as Verdict,
    reason,
    run_id: runId,
    gathering: gathering && {
      id: gathering.id,
      opened_at: gathering.openedAt.toISOString(),
      closes_at: gathering.closesAt.toISOString(),
      closed_at: gathering.closedAt?.toISOString() ?? null,
    },
  };
}
