import { randomUUID } from 'node:crypto';
import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { recordIfPossible, type RecordedRun } from '../runs/record-if-possible.ts';
import {
  closeGathering,
  eventsOfGathering,
  findOpenGathering,
  insertGathering,
  insertVerdicts,
  updateGathering,
  type NewVerdict,
  type OpenGathering,
} from './event-store.ts';
import { parseEvent } from './read-event.ts';
import { arrivedWith, isComplete, pathsOf, runOfEvents } from './rule-judgement.ts';
import { findRuleOfGathering, type RuleSettings, type StoredRule } from './rule-store.ts';
import { gather, plainText, type GatheredEvents, type SizedEvent } from './values.ts';

/** A run that lists more says nothing to anybody, and the transaction that closes must not take long. */
const maxGathered = 10_000;
const maxBytes = 64 * 1_024 * 1_024;

/** When a gathering is over, given what came. The same for events that come and for those that are looked at later. */
export interface Window {
  closesAt: Date;
  eventCount: number;
  bytes: number;
  arrived: Set<string>;
}

export function openWindow({ windowSeconds }: RuleSettings, at: Date): Window {
  const closesAt = new Date(at.getTime() + (windowSeconds ?? 0) * 1_000);
  return { closesAt, eventCount: 0, bytes: 0, arrived: new Set() };
}

/** Whether the window is over with this event. */
export function joinWindow(window: Window, rule: RuleSettings, { data, bytes }: SizedEvent): boolean {
  window.eventCount += 1;
  window.bytes += bytes;
  for (const value of arrivedWith(rule, data)) window.arrived.add(value);
  return window.eventCount >= maxGathered || window.bytes >= maxBytes || isComplete(rule, window.arrived);
}

/**
 * Has events of a rule wait for each other. The rule is locked, and they are in the order in which they came. Returns the
 * gatherings that are over.
 */
export async function joinGatherings(
  tx: Transaction,
  rule: StoredRule,
  matches: { event: SizedEvent; verdict: Omit<NewVerdict, 'verdict' | 'gatheringId' | 'runId'> }[],
): Promise<string[]> {
  const over: string[] = [];
  let open = windowOf(await findOpenGathering(tx, rule.id));
  let joined: NewVerdict[] = [];
  const keep = async ({ id, eventCount, bytes, arrived }: WindowOf, isOver: boolean) => {
    await insertVerdicts(tx, joined);
    await updateGathering(tx, { id, eventCount, bytes, arrived: [...arrived] }, isOver);
    joined = [];
    if (isOver) over.push(id);
  };
  for (const { event, verdict } of matches) {
    if (open !== null && open.closesAt <= event.createdAt) {
      await keep(open, true);
      open = null;
    }
    if (open === null) {
      open = { id: randomUUID(), ...openWindow(rule, event.createdAt) };
      const { id, closesAt } = open;
      await insertGathering(tx, { id, ruleId: rule.id, openedAt: event.createdAt, closesAt });
    }
    joined.push({ ...verdict, verdict: 'gathering', gatheringId: open.id, runId: null });
    if (!joinWindow(open, rule, event)) continue;
    await keep(open, true);
    open = null;
  }
  if (open !== null) await keep(open, false);
  return over;
}

type WindowOf = Window & { id: string };

function windowOf(open: OpenGathering | null): WindowOf | null {
  return open && { ...open, arrived: new Set(open.arrived) };
}

/** Makes one run of all that was gathered, or says why there is none. The rule is locked. */
export async function runOfGathering(
  tx: Transaction,
  context: Context,
  { id, ruleId }: { id: string; ruleId: string },
): Promise<RecordedRun | null> {
  const { rule, sourceName } = await findRuleOfGathering(tx, ruleId);
  const recorded =
    whyNotNow(rule) ?? (await recordRunOf(tx, context, rule, sourceName, await gatheredIn(tx, id, rule)));
  const isRun = typeof recorded !== 'string';
  await closeGathering(tx, id, isRun ? { runId: recorded.runId } : { reason: recorded });
  return isRun ? recorded : null;
}

/** The run of events that hold, or a sentence that says why there is none. */
export async function recordRunOf(
  tx: Transaction,
  context: Context,
  rule: StoredRule,
  sourceName: string,
  gathered: GatheredEvents,
): Promise<RecordedRun | string> {
  const made = runOfEvents(rule, sourceName, gathered);
  if ('refusal' in made) return plainText(made.refusal);
  const { organizationId, projectId, jobId } = rule;
  return recordIfPossible(tx, context, { organizationId, projectId, jobId }, () => ({
    triggeredBy: 'event',
    requestedBy: sourceName,
    ...made,
  }));
}

function whyNotNow({ active, deletedAt }: StoredRule): string | null {
  if (deletedAt !== null) return 'The rule was deleted before its window closed.';
  return active ? null : 'The rule was switched off when its window closed.';
}

async function gatheredIn(tx: Transaction, gatheringId: string, rule: StoredRule): Promise<GatheredEvents> {
  const paths = pathsOf(rule);
  let gathered: GatheredEvents | null = null;
  for await (const page of eventsOfGathering(tx, gatheringId)) {
    for (const { body, ...event } of page)
      gathered = gather(gathered, { ...event, data: parseEvent(body) }, paths);
  }
  if (gathered === null) throw new Error(`a gathering has no events: ${gatheringId}`);
  return gathered;
}
