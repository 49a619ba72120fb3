import { inBatches } from '../batches.ts';
import type { Context } from '../context.ts';
import { isDatabaseAway, type Transaction } from '../db.ts';
import type { RecordedRun } from '../runs/record-if-possible.ts';
import { ringForReplaced } from '../runs/record-run.ts';
import { findEventIds, insertEvents, insertVerdicts, type NewEvent, type NewVerdict } from './event-store.ts';
import { joinGatherings, recordRunOf, runOfGathering } from './gatherings.ts';
import { judgeEvent, pathsOf } from './rule-judgement.ts';
import { findLiveRules, lockGatheringRules, lockRule, type StoredRule } from './rule-store.ts';
import type { StoredSource } from './source-store.ts';
import { gather, type SizedEvent } from './values.ts';

export interface Arrived extends NewEvent {
  source: StoredSource;
  data: unknown;
}

/** Which event stands for one that arrived: itself, or the one that came before with the same id. */
export interface RecordedEvent {
  id: string;
  isDuplicate: boolean;
}

/** Of one transaction. */
const maxEvents = 100;
const maxBytes = 4 * 1_024 * 1_024;

/**
 * Records an event, what each rule makes of it, and the runs that follow, in one transaction: all of it, or nothing.
 * Events of a source that come at the same time share that.
 */
export function openEventRecorder(context: Context): (arrived: Arrived) => Promise<RecordedEvent> {
  const recordBatch = inBatches(async (arrived: Arrived[]) => {
    const recorded: Outcome[] = [];
    for (const share of sharesOf(arrived)) recorded.push(...(await recordShare(context, share)));
    return recorded;
  });
  return async (arrived) => {
    const outcome = await recordBatch(arrived.source.id, arrived);
    if ('error' in outcome) throw outcome.error;
    return outcome;
  };
}

type Outcome = RecordedEvent | { error: unknown };

function sharesOf(arrived: Arrived[]): Arrived[][] {
  const shares: Arrived[][] = [];
  let bytes = 0;
  for (const each of arrived) {
    const share = shares.at(-1);
    bytes += each.body.length;
    if (share === undefined || share.length >= maxEvents || bytes > maxBytes) {
      shares.push([each]);
      bytes = each.body.length;
    } else {
      share.push(each);
    }
  }
  return shares;
}

/** One that cannot be recorded costs no other anything: each is tried by itself then. */
async function recordShare(context: Context, share: Arrived[], tries = 2): Promise<Outcome[]> {
  try {
    return await recordTogether(context, share);
  } catch (error) {
    if (isDatabaseAway(error) || tries === 0) return share.map(() => ({ error }));
    context.log.warn(
      { error, events: share.length },
      'events were not recorded together, and are tried one by one',
    );
    const outcomes: Outcome[] = [];
    for (const each of share) outcomes.push(...(await recordShare(context, [each], tries - 1)));
    return outcomes;
  }
}

async function recordTogether(context: Context, share: Arrived[]): Promise<RecordedEvent[]> {
  const startedAt = performance.now();
  const { recorded, runs } = await context.db.$transaction((tx) => record(tx, context, share), {
    maxWait: 5_000,
    timeout: 30_000,
  });
  ringForRuns(context, runs, startedAt);
  return recorded;
}

/** To be called once their transaction is over. Nobody waits for it. */
export function ringForRuns(context: Context, runs: RecordedRun[], startedAt: number): void {
  const { doorbell, metrics, log } = context;
  for (const { runId, replaced } of runs) {
    log.info({ run: runId }, 'run queued');
    metrics.triggers.observe({ triggered_by: 'event' }, (performance.now() - startedAt) / 1_000);
    void Promise.all([doorbell.ringRun(runId), ringForReplaced(context, replaced)]);
  }
}

async function record(tx: Transaction, context: Context, share: Arrived[]) {
  const { source } = share[0]!;
  // Before they are recorded: an event that came before a window closed has joined it.
  const locked = await lockGatheringRules(tx, source.id);
  const times = await insertEvents(tx, source, share);
  const fresh = share
    .flatMap(({ id, data, body }) => {
      const createdAt = times.get(id);
      return createdAt === undefined ? [] : [{ id, data, createdAt, bytes: body.length }];
    })
    .toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1));
  const runs = fresh.length === 0 ? [] : await judgeAll(tx, context, source, fresh, locked);
  const earlier = share.flatMap(({ id, externalId }) => (times.has(id) ? [] : (externalId ?? [])));
  const known = await findEventIds(tx, source.id, earlier);
  const recorded = share.map(({ id, externalId }): RecordedEvent => {
    const isDuplicate = !times.has(id);
    const found = isDuplicate ? known.get(externalId ?? '') : id;
    if (found === undefined) throw new Error('an event that had come before is not there');
    return { id: found, isDuplicate };
  });
  return { recorded, runs };
}

async function judgeAll(
  tx: Transaction,
  context: Context,
  source: StoredSource,
  events: SizedEvent[],
  locked: ReadonlySet<string>,
): Promise<RecordedRun[]> {
  const unmatched: NewVerdict[] = [];
  const toRun: ToRun[] = [];
  for (const rule of await findLiveRules(tx, source.id)) {
    const matches: Match[] = [];
    for (const event of events) {
      const { holds, conditions, reason } = judgeEvent(rule, event.data);
      const verdict = { eventId: event.id, ruleId: rule.id, conditions, reason };
      if (holds) matches.push({ event, verdict });
      else unmatched.push({ ...verdict, verdict: 'no_match', gatheringId: null, runId: null });
    }
    if (matches.length === 0) continue;
    // It gathers only since a moment ago. Whoever locks rules and events the other way round is tried again.
    if (rule.windowSeconds !== null && !locked.has(rule.id)) await lockRule(tx, rule.id);
    const found: ToRun[] =
      rule.windowSeconds === null
        ? matches.map((match) => ({ rule, match }))
        : (await joinGatherings(tx, rule, matches)).map((gathering) => ({ rule, gathering }));
    toRun.push(...found);
  }
  await insertVerdicts(tx, unmatched);
  // Where jobs are locked, then in this order.
  const inOrder = toRun.toSorted((a, b) =>
    a.rule.jobId < b.rule.jobId ? -1 : Number(a.rule.jobId > b.rule.jobId),
  );
  const runs: RecordedRun[] = [];
  for (const each of inOrder) {
    const recorded = await runOf(tx, context, source, each);
    if (recorded !== null) runs.push(recorded);
  }
  return runs;
}

interface Match {
  event: SizedEvent;
  verdict: Pick<NewVerdict, 'eventId' | 'ruleId' | 'conditions' | 'reason'>;
}

type ToRun = { rule: StoredRule } & ({ match: Match } | { gathering: string });

async function runOf(
  tx: Transaction,
  context: Context,
  source: StoredSource,
  { rule, ...what }: ToRun,
): Promise<RecordedRun | null> {
  if ('gathering' in what) return runOfGathering(tx, context, { id: what.gathering, ruleId: rule.id });
  const { event, verdict } = what.match;
  const recorded = await recordRunOf(tx, context, rule, source.name, gather(null, event, pathsOf(rule)));
  const isRun = typeof recorded !== 'string';
  await insertVerdicts(tx, [
    {
      ...verdict,
      verdict: isRun ? 'run' : 'refused',
      reason: isRun ? null : recorded,
      gatheringId: null,
      runId: isRun ? recorded.runId : null,
    },
  ]);
  return isRun ? recorded : null;
}
