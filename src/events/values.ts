import { fieldAt } from '../conditions.ts';
import type { FieldProblem } from '../errors.ts';
import { placeholdersIn, render, templateProblems, type Placeholder } from '../templates.ts';

/** What a placeholder stands for: nothing, one value, or several. */
export type ValuesOf = (placeholder: Placeholder) => unknown[];

/** Events that make one run, or would: one, or those that a rule gathered. */
export interface GatheredEvents {
  /** In the order in which they came. */
  ids: string[];
  newest: { id: string; data: unknown; createdAt: Date };
  /** Of each path that the rule asks of all of them: what is there, each value once. */
  values: Map<string, Map<string, unknown>>;
}

export interface EventData {
  id: string;
  data: unknown;
  createdAt: Date;
}

/** `bytes`: of its text. */
export type SizedEvent = EventData & { bytes: number };

const received: string[] = ['ID', 'SOURCE', 'COUNT', 'AT', 'IDS'];
/** No run needs more to be told apart. */
const maxDistinct = 1_000;

export function problemsOf(template: unknown, pointer: string): FieldProblem[] {
  return templateProblems(template, pointer, ({ scope, name }) => {
    if (scope === 'event' || scope === 'events') return null;
    if (scope !== 'received')
      return `There is no ${scope}.${name} here: write \${{event.<field>}}, \${{events.<field>}} or \${{received.${received.join('|')}}}.`;
    return received.includes(name) ? null : `received knows ${received.join(', ')}, and no ${name}.`;
  });
}

/** Whether it stands for a value of each event. */
export function isForSeveral({ scope, name }: Placeholder): boolean {
  return scope === 'events' || (scope === 'received' && name === 'IDS');
}

/** The fields that templates ask of all events. */
export function pathsOfAll(templates: (string | null)[]): string[] {
  const placeholders = templates.flatMap((text) => placeholdersIn(text ?? ''));
  return [...new Set(placeholders.filter(({ scope }) => scope === 'events').map(({ name }) => name))];
}

/** Longer than any text or command has room for. Of many events, all of it would fill the memory. */
const maxKeptCharacters = 2_100;

function shortened(value: unknown): unknown {
  const text = asText(value);
  return text.length > maxKeptCharacters ? cut(text, maxKeptCharacters) : value;
}

/** Adds one that came later than all before. `paths`: the fields that are asked of all. */
export function gather(before: GatheredEvents | null, event: EventData, paths: string[]): GatheredEvents {
  const gathered: GatheredEvents = before ?? {
    ids: [],
    newest: event,
    values: new Map(paths.map((path) => [path, new Map()])),
  };
  gathered.ids.push(event.id);
  gathered.newest = event;
  for (const path of paths) {
    const found = gathered.values.get(path)!;
    for (const value of [fieldAt(event.data, path)].flat()) {
      if (value === undefined || value === null || found.size >= maxDistinct) continue;
      const kept = shortened(value);
      const key = JSON.stringify(kept);
      if (!found.has(key)) found.set(key, kept);
    }
  }
  return gathered;
}

export function valuesOf({ ids, newest, values }: GatheredEvents, sourceName: string): ValuesOf {
  return ({ scope, name }) => {
    if (scope === 'events') return [...(values.get(name)?.values() ?? [])];
    if (scope === 'event') {
      const value = fieldAt(newest.data, name);
      return value === undefined ? [] : [value];
    }
    switch (name) {
      case 'ID':
        return [newest.id];
      case 'SOURCE':
        return [sourceName];
      case 'COUNT':
        return [ids.length];
      case 'AT':
        return [newest.createdAt.toISOString()];
      default:
        return ids;
    }
  };
}

/** The text for people to read: what is not there leaves nothing. */
export function renderText(template: string, of: ValuesOf, maxCharacters: number): string {
  const text = render(template, (placeholder) => of(placeholder).map(asText).join(', '));
  return cut(plainText(text), maxCharacters);
}

export function cut(text: string, maxCharacters: number): string {
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1).toWellFormed()}…` : text;
}

/** What Postgres and an environment variable can hold. */
export function plainText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** Of parsed JSON. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
