import { fieldAt, judge, whyNot, type JudgedCondition } from '../conditions.ts';
import type { RuleSettings, StoredRule } from './rule-store.ts';
import { readCommandTemplate, renderCommand } from './command-template.ts';
import { cut, pathsOfAll, plainText, renderText, valuesOf, type GatheredEvents } from './values.ts';

export interface Judgement {
  holds: boolean;
  /** As they are kept. */
  conditions: JudgedCondition[];
  reason: string | null;
}

export function judgeEvent({ conditions }: RuleSettings, data: unknown): Judgement {
  const judged = judge(conditions, (name) => fieldAt(data, name));
  const kept = judged.conditions.map((each) =>
    'actual' in each ? { ...each, actual: keptValue(each.actual) } : each,
  );
  return { holds: judged.holds, conditions: kept, reason: whyNot(kept) };
}

/** Which of the values that the rule waits for an event brings. */
export function arrivedWith({ windowUntil }: RuleSettings, data: unknown): string[] {
  if (windowUntil === null) return [];
  const actual = fieldAt(data, windowUntil.variable_name);
  return windowUntil.values
    .filter((value) => {
      const asked = { variable_name: '', operation: 'EQUAL', value } as const;
      return judge([asked], () => actual).holds;
    })
    .map(String);
}

export function isComplete({ windowUntil }: RuleSettings, arrived: ReadonlySet<string>): boolean {
  return windowUntil !== null && windowUntil.values.every((value) => arrived.has(String(value)));
}

/** The fields that a rule's templates ask of all its events. */
export function pathsOf({ commandOverride, cause, metadata }: RuleSettings): string[] {
  const texts = Object.values(metadata ?? {}).filter((value) => typeof value === 'string');
  return pathsOfAll([commandOverride, cause, ...texts]);
}

export interface RunOfEvents {
  override: { command: string; argv: string[] } | undefined;
  cause: string;
  metadata: Record<string, string | number | boolean> | null;
}

/** What the run of these events has from its rule, or a sentence that says why there is none. */
export function runOfEvents(
  rule: Pick<StoredRule, 'name' | 'commandOverride' | 'cause' | 'metadata'>,
  sourceName: string,
  gathered: GatheredEvents,
): RunOfEvents | { refusal: string } {
  const of = valuesOf(gathered, sourceName);
  const override = rule.commandOverride === null ? undefined : commandOf(rule.commandOverride, of);
  if (override !== undefined && 'refusal' in override) return override;
  const entries = Object.entries(rule.metadata ?? {}).map(
    ([key, value]): [string, string | number | boolean] => [
      key,
      typeof value === 'string' ? renderText(value, of, 2_000) : value,
    ],
  );
  const count = gathered.ids.length;
  const events = count === 1 ? `Event ${gathered.newest.id}` : `${count} events`;
  return {
    override,
    cause:
      rule.cause === null
        ? cut(`${events} of "${sourceName}", by the rule "${rule.name}".`, 1_000)
        : renderText(rule.cause, of, 1_000),
    metadata: rule.metadata === null ? null : Object.fromEntries(entries),
  };
}

function commandOf(template: string, of: ReturnType<typeof valuesOf>) {
  const read = readCommandTemplate(template);
  return 'problem' in read ? { refusal: read.problem } : renderCommand(read, of);
}

const maxKeptCharacters = 2_048;

/** As Postgres can hold it, and no longer than anybody wants to read. */
function keptValue(value: unknown): unknown {
  if (typeof value === 'string') return cut(plainText(value), maxKeptCharacters);
  if (typeof value !== 'object' || value === null) return value;
  const json = JSON.stringify(value);
  return json.length > maxKeptCharacters ? cut(plainText(json), maxKeptCharacters) : storable(value);
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return plainText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [plainText(key), storable(each)]));
}
