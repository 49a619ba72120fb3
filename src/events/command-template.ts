import { isDeepStrictEqual } from 'node:util';
import { acceptCommand } from '../commands/accept-command.ts';
import type { Option } from '../commands/arguments.ts';
import { isDbtSubcommand } from '../commands/dbt-command.ts';
import { allowedOptions, type Subcommand } from '../commands/dbt-options.ts';
import { readMapping } from '../commands/mapping.ts';
import { splitWords } from '../commands/words.ts';
import { AppError } from '../errors.ts';
import { render, type Placeholder } from '../templates.ts';
import { asText, isForSeveral, plainText, type ValuesOf } from './values.ts';

/**
 * A dbt command with placeholders. It is split into words before any value is known, so no value ever becomes a word, an
 * option or a part of its name: each word is rendered by itself.
 */
export interface CommandTemplate {
  words: TemplateWord[];
}

type TemplateWord =
  | { kind: 'fixed'; text: string }
  | { kind: 'names'; pieces: Piece[] }
  /** What stands in quotes after `--vars`: values are put in at its leaves. */
  | { kind: 'mapping'; prefix: string; value: unknown };

type Piece = string | Placeholder;

/** Of a rule's text, or what keeps it from being one, in a sentence. */
export function readCommandTemplate(text: string): CommandTemplate | { problem: string } {
  const marks = new Marks(text);
  const words = splitWords(marks.text);
  if (!Array.isArray(words)) return { problem: words.detail };
  const texts = words.map((word) => word.text);
  const [program, ...rest] = texts;
  const length = lengthOfSubcommand(rest);
  if (program !== 'dbt' || length === 0) {
    return { problem: 'Begin with dbt and a subcommand, both without placeholders, such as dbt build.' };
  }
  const options = optionsOf(rest.slice(0, length).join(' '));
  const command = texts.slice(0, length + 1).map(fixed);
  const read = readOptions(rest.slice(length), options, marks);
  if ('problem' in read) return read;
  return { words: [...command, ...read.words] };
}

/** Why a text is no template whose command may run, whatever its values; null when it is. */
export function commandTemplateProblem(text: string): string | null {
  const template = readCommandTemplate(text);
  return 'problem' in template ? template.problem : sampleProblem(template);
}

/** The command with the values in their places, or a sentence that says why there is none. */
export function renderCommand(
  template: CommandTemplate,
  valuesOf: ValuesOf,
): { command: string; argv: string[] } | { refusal: string } {
  try {
    const words = template.words.map((word) => renderWord(word, valuesOf));
    const accepted = acceptCommand(words.map(quoted).join(' '), '/command_override', 'dbt');
    if (isDeepStrictEqual(accepted.argv, words.slice(1))) return accepted;
    return { refusal: 'With the values of the event, the command would have other words than its rule.' };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { refusal: error.message };
  }
}

/** Stands for the placeholders of a text while it is split into words: plain letters that are nowhere else in it. */
class Marks {
  readonly text: string;
  readonly #mark: string;
  readonly #placeholders: Placeholder[] = [];

  constructor(template: string) {
    let mark = 'zv';
    while (template.includes(mark)) mark += 'v';
    this.#mark = mark;
    this.text = render(template, (placeholder) => {
      this.#placeholders.push(placeholder);
      return `${mark}${this.#placeholders.length - 1}q`;
    });
  }

  isIn(text: string): boolean {
    return text.includes(this.#mark);
  }

  split(text: string): Piece[] {
    return text
      .split(new RegExp(`${this.#mark}(\\d+)q`))
      .map((piece, place) => (place % 2 === 0 ? piece : this.#placeholders[Number(piece)]!))
      .filter((piece) => piece !== '');
  }
}

function lengthOfSubcommand(words: string[]): number {
  return [1, 2].find((length) => isKnown(words.slice(0, length).join(' '))) ?? 0;
}

const isKnown = (subcommand: string) => subcommand === 'ls' || isDbtSubcommand(subcommand);

function optionsOf(subcommand: string): ReadonlyMap<string, Option> {
  return allowedOptions[subcommand === 'ls' ? 'list' : (subcommand as Subcommand)];
}

/** Whatever is wrong with the command but for its placeholders is told by who accepts commands. */
function readOptions(
  words: string[],
  options: ReadonlyMap<string, Option>,
  marks: Marks,
): { words: TemplateWord[] } | { problem: string } {
  const read: TemplateWord[] = [];
  let expected: Expected | null = null;
  for (const text of words) {
    if (!text.startsWith('-')) {
      const word = marks.isIn(text) ? readValue(text, '', expected, marks) : fixed(text);
      if ('problem' in word) return word;
      read.push(word);
      expected = following(expected);
      continue;
    }
    const equals = text.startsWith('--') ? text.indexOf('=') : -1;
    const name = equals === -1 ? text : text.slice(0, equals);
    if (marks.isIn(name)) {
      return {
        problem: 'An option has no placeholder in its name: only its value, or a part of that, may be one.',
      };
    }
    const option = options.get(name);
    const given: Expected | null =
      option === undefined || option.takes === 'nothing' ? null : { name, option, isFirst: true };
    const value = text.slice(name.length + 1);
    if (equals === -1 || !marks.isIn(value)) {
      read.push(fixed(text));
    } else {
      const word = readValue(value, `${name}=`, given, marks);
      if ('problem' in word) return word;
      read.push(word);
    }
    expected = equals === -1 ? given : following(given);
  }
  return { words: read };
}

/** The option whose value may stand next. */
interface Expected {
  name: string;
  option: Exclude<Option, { takes: 'nothing' }>;
  isFirst: boolean;
}

const fixed = (text: string): TemplateWord => ({ kind: 'fixed', text });

function following(expected: Expected | null): Expected | null {
  return expected?.option.takes === 'many' ? { ...expected, isFirst: false } : null;
}

function readValue(
  text: string,
  prefix: string,
  expected: Expected | null,
  marks: Marks,
): TemplateWord | { problem: string } {
  if (expected === null) {
    return {
      problem:
        'A placeholder is the value of an option, or a part of one, such as --select ${{event.table}}.',
    };
  }
  const { name, option, isFirst } = expected;
  if (name === '--vars' || name === '--args') return readValues(text, prefix, name, marks);
  if (text.includes('{')) {
    return { problem: `${name} has no placeholders in its mapping: only --vars and --args may have some.` };
  }
  const placeholders = marks.split(text).filter((piece) => typeof piece !== 'string');
  const several = placeholders.find(isForSeveral);
  if (several !== undefined && (option.takes !== 'many' || !isFirst || placeholders.length > 1)) {
    return {
      problem: `${shown(several)} may be several values: write it as the first value of an option that takes several, such as --select, and as the only placeholder of its word; or in --vars.`,
    };
  }
  return { kind: 'names', pieces: prefix === '' ? marks.split(text) : [prefix, ...marks.split(text)] };
}

function readValues(
  text: string,
  prefix: string,
  option: string,
  marks: Marks,
): TemplateWord | { problem: string } {
  const read = readMapping(text);
  if ('problem' in read) return { problem: `${option} ${read.problem}.` };
  if (!isWritten(read.values)) {
    return {
      problem: `${option} is written anew where it has placeholders: put quotes around its dates, and around numbers of more than 15 digits.`,
    };
  }
  const value = piecesIn(read.values, marks);
  return value === null
    ? { problem: `${option} has no placeholders in its keys: only values may be some.` }
    : { kind: 'mapping', prefix, value };
}

/** Whether JSON says of it what it is. */
function isWritten(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && Math.abs(value) < 1e15;
  if (typeof value !== 'object' || value === null) return true;
  return !(value instanceof Date) && Object.values(value).every(isWritten);
}

/** Texts with placeholders as lists of pieces below a key of their own. Null: there is one in a key. */
function piecesIn(value: unknown, marks: Marks): unknown {
  if (typeof value === 'string') return marks.isIn(value) ? new Leaf(marks.split(value)) : value;
  if (Array.isArray(value)) {
    const items = value.map((each) => ({ of: each, became: piecesIn(each, marks) }));
    return items.some(({ of, became }) => of !== null && became === null)
      ? null
      : items.map(({ became }) => became);
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => ({
    key,
    of: each as unknown,
    became: piecesIn(each, marks),
  }));
  if (entries.some(({ key, of, became }) => marks.isIn(key) || (of !== null && became === null))) return null;
  return Object.fromEntries(entries.map(({ key, became }) => [key, became]));
}

class Leaf {
  readonly pieces: Piece[];

  constructor(pieces: Piece[]) {
    this.pieces = pieces;
  }
}

function renderWord(word: TemplateWord, valuesOf: ValuesOf): string {
  switch (word.kind) {
    case 'fixed':
      return word.text;
    case 'names': {
      const placeholders = word.pieces.filter((piece) => typeof piece !== 'string');
      const [first] = placeholders;
      const several = first !== undefined && isForSeveral(first) ? namesOf(first, valuesOf) : [''];
      const prefix = wordPrefix(word.pieces);
      const rendered = several.map((each) =>
        word.pieces
          .map((piece, place) => {
            if (typeof piece === 'string') return place === 0 ? piece.slice(prefix.length) : piece;
            return isForSeveral(piece) ? each : (namesOf(piece, valuesOf)[0] ?? '');
          })
          .join(''),
      );
      return prefix + rendered.join(' ');
    }
    case 'mapping':
      return word.prefix + JSON.stringify(renderLeaves(word.value, valuesOf));
  }
}

/** `--select=`, which stands once however many values there are. */
function wordPrefix([first]: Piece[]): string {
  return typeof first === 'string' ? (/^--[a-z-]+=/.exec(first)?.[0] ?? '') : '';
}

function renderLeaves(value: unknown, valuesOf: ValuesOf): unknown {
  if (value instanceof Leaf) {
    const [only] = value.pieces;
    if (value.pieces.length === 1 && typeof only === 'object' && !isForSeveral(only))
      return scalarOf(only, valuesOf(only));
    return value.pieces
      .map((piece) =>
        typeof piece === 'string'
          ? piece
          : required(piece, valuesOf(piece))
              .map((each) => asText(scalarOf(piece, [each])))
              .join(isForSeveral(piece) ? ', ' : ''),
      )
      .join('');
  }
  if (Array.isArray(value)) return value.map((each) => renderLeaves(each, valuesOf));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renderLeaves(each, valuesOf)]));
}

const maxValueCharacters = 2_000;
const plainName = /^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,199}$/;

function namesOf(placeholder: Placeholder, valuesOf: ValuesOf): string[] {
  return required(placeholder, valuesOf(placeholder)).map((value) => {
    const text = asText(value);
    if (typeof value !== 'object' && plainName.test(text) && !text.includes('..')) return text;
    throw refused(
      `${shown(placeholder)} is ${shortened(value)}, and in a command a value is a plain name: letters, digits, _ . : / and hyphens, beginning with a letter, a digit or _.`,
    );
  });
}

function scalarOf(placeholder: Placeholder, values: unknown[]): unknown {
  const [value] = required(placeholder, values);
  if (typeof value === 'object' && value !== null) {
    throw refused(`${shown(placeholder)} is no single value: name one of its fields.`);
  }
  if (typeof value !== 'string') return value;
  if (value.length > maxValueCharacters) {
    throw refused(`${shown(placeholder)} is longer than ${maxValueCharacters} characters.`);
  }
  return plainText(value);
}

function required(placeholder: Placeholder, values: unknown[]): unknown[] {
  if (values.length > 0) return values;
  throw refused(`There is no ${shown(placeholder)}, so its command cannot be made.`);
}

const refused = (detail: string) => new AppError('invalid_command', detail);

const shown = ({ scope, name }: Placeholder) => `${scope}.${name}`;

function shortened(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80).toWellFormed()}…` : text;
}

/** The word as it is written in a command, whatever is in it. */
function quoted(word: string): string {
  if (/^[\w.:/=,+@*-]+$/.test(word)) return word;
  if (!word.includes("'")) return `'${word}'`;
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Options differ in what they take. */
const samples = ['sample', '1', '2024-01-01', 'model', 'json'];

/**
 * Why no values would make the command one that may run; null when some do. Each word that is refused is tried with
 * another sample, one word after the other.
 */
function sampleProblem({ words }: CommandTemplate): string | null {
  const chosen = words.map(() => 0);
  for (;;) {
    const rendered = words.map((word, place) => renderWord(word, () => [samples[chosen[place]!]]));
    const command = rendered.map(quoted);
    try {
      acceptCommand(command.join(' '), '/command_override', 'dbt');
      return null;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const place = placeOf(error.problems[0]?.position ?? 0, command);
      // What is said is about the option, which stands before its value.
      const wrong = [place, place + 1].find(
        (each) => words[each] !== undefined && words[each].kind !== 'fixed',
      );
      if (wrong === undefined || chosen[wrong]! + 1 >= samples.length) return error.message;
      chosen[wrong]! += 1;
    }
  }
}

/** Which word is at a position of the command. */
function placeOf(position: number, words: string[]): number {
  let end = -1;
  const found = words.findIndex((word) => {
    end += word.length + 1;
    return position < end;
  });
  return found === -1 ? words.length - 1 : found;
}
