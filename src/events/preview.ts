import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import { jobToRun } from '../jobs/job-to-run.ts';
import { displayCommand } from '../jobs/commands.ts';
import { eventsOfSource, findBeginning } from './event-store.ts';
import { joinWindow, openWindow, type Window } from './gatherings.ts';
import { parseEvent } from './read-event.ts';
import { judgeEvent, pathsOf, runOfEvents } from './rule-judgement.ts';
import type { RuleSettings } from './rule-store.ts';
import { acceptRule, requireRule, withChange } from './rules.ts';
import type { preview, previewRequest } from './schema.ts';
import { requireSource } from './sources.ts';
import { gather, type GatheredEvents, type SizedEvent } from './values.ts';

type Preview = z.input<typeof preview>;

const maxEvents = 20_000;
const maxShown = 200;

/** What a rule would have made of the events that its source has had. Records nothing. */
export async function previewRule(
  { db, pool }: Context,
  principal: Principal,
  asked: z.output<typeof previewRequest>,
): Promise<Preview> {
  const rule = await ruleOf({ db }, principal, asked);
  const { organizationId } = principal;
  const { name: sourceName } = await requireSource(db, principal, rule.sourceId);
  const job = await jobToRun(pool, { organizationId, projectId: rule.projectId, jobId: rule.jobId });
  const asDays = new Date(Date.now() - asked.days * 86_400_000);
  const since = await findBeginning(db, rule.sourceId, asDays, maxEvents);
  const simulation = new Simulation(rule, sourceName, displayCommand(job.commands));
  for await (const page of eventsOfSource(db, rule.sourceId, since)) {
    for (const { body, ...event } of page)
      simulation.add({ ...event, data: parseEvent(body), bytes: body.length });
  }
  return { ...simulation.end(), is_cut: since > asDays };
}

async function ruleOf(
  { db }: Pick<Context, 'db'>,
  principal: Principal,
  { rule, rule_id: ruleId = '', changes = {} }: z.output<typeof previewRequest>,
): Promise<RuleSettings> {
  if (rule !== undefined) return acceptRule(db, principal, rule, { below: '/rule' });
  const stored = await requireRule(db, principal, ruleId);
  return acceptRule(db, principal, withChange(stored, changes), { below: '/changes' });
}

/** Goes through events as they came, with the windows that would have been open. */
class Simulation {
  readonly #paths: string[];
  readonly #runs: Preview['runs'] = [];
  #events = 0;
  #matched = 0;
  #wouldRun = 0;
  #open: { window: Window; gathered: GatheredEvents | null } | null = null;

  readonly rule: RuleSettings;
  readonly sourceName: string;
  readonly command: string;

  constructor(rule: RuleSettings, sourceName: string, command: string) {
    this.rule = rule;
    this.sourceName = sourceName;
    this.command = command;
    this.#paths = pathsOf(rule);
  }

  add(event: SizedEvent): void {
    this.#events += 1;
    if (!judgeEvent(this.rule, event.data).holds) return;
    this.#matched += 1;
    if (this.rule.windowSeconds === null) return this.#run(gather(null, event, this.#paths), event.createdAt);
    if (this.#open !== null && this.#open.window.closesAt <= event.createdAt)
      this.#close(this.#open.window.closesAt);
    this.#open ??= { window: openWindow(this.rule, event.createdAt), gathered: null };
    this.#open.gathered = gather(this.#open.gathered, event, this.#paths);
    if (joinWindow(this.#open.window, this.rule, event)) this.#close(event.createdAt);
  }

  end(): Omit<Preview, 'is_cut'> {
    if (this.#open !== null) this.#close(this.#open.window.closesAt);
    return { events: this.#events, matched: this.#matched, would_run: this.#wouldRun, runs: this.#runs };
  }

  #close(at: Date): void {
    const gathered = this.#open?.gathered ?? null;
    this.#open = null;
    if (gathered !== null) this.#run(gathered, at);
  }

  #run(gathered: GatheredEvents, at: Date): void {
    const made = runOfEvents(this.rule, this.sourceName, gathered);
    const refused = 'refusal' in made ? made.refusal : null;
    if (refused === null) this.#wouldRun += 1;
    if (this.#runs.length >= maxShown) return;
    this.#runs.push({
      at: at.toISOString(),
      command: 'refusal' in made ? null : (made.override?.command ?? this.command),
      cause: 'refusal' in made ? null : made.cause,
      metadata: 'refusal' in made ? null : made.metadata,
      event_count: gathered.ids.length,
      event_ids: gathered.ids.slice(0, maxShown),
      refused,
    });
  }
}
