import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import type { ValueCheck } from './values.ts';
import type { Word } from './words.ts';

/**
 * An option: without a value; with one; with one each time it is given; or with all words up to the next one that
 * starts with a hyphen. Options of several names are one under `name`.
 */
export type Option =
  { takes: 'nothing' } | { takes: 'one' | 'one each' | 'many'; name: string; check: ValueCheck };

/** What may follow a subcommand, or stand before one. */
export interface ArgumentRule {
  options: ReadonlyMap<string, Option>;
  /** What is wrong with a word that belongs to no option and follows so many of its kind; undefined: it may stand. */
  looseWordProblem(text: string, earlier: number): string | undefined;
  optionRefusal(option: string): string;
}

/** What a command says, once nothing in it is wrong. */
export interface Arguments {
  /** How many words belong to no option. */
  looseWords: number;
  options: ReadonlySet<string>;
}

/** Walks over words as the program does that gets them. Options come in any order, and may stand before loose words. */
export function readArguments(rule: ArgumentRule, words: Word[]): Arguments | Refusal {
  const given = new Set<string>();
  let looseWords = 0;
  let index = 0;
  while (index < words.length) {
    const word = words[index]!;
    if (!word.text.startsWith('-')) {
      const problem = rule.looseWordProblem(word.text, looseWords);
      if (problem !== undefined) return refuse(word.start, problem);
      looseWords += 1;
      index += 1;
      continue;
    }
    const { name, glued } = splitOption(word.text);
    const option = rule.options.get(name);
    if (!option) return refuse(word.start, rule.optionRefusal(name));
    const taken = countValues(option, glued, words, index + 1);
    const wrong = valuesProblem(option, glued, words.slice(index + 1, index + 1 + taken));
    if (wrong) return refuse(wrong.at?.start ?? word.start, `${name} ${wrong.problem}.`);
    const optionName = option.takes === 'nothing' ? name : option.name;
    if (option.takes === 'one' && given.has(optionName)) {
      return refuse(word.start, `${name} is given twice; keep one of the two.`);
    }
    given.add(optionName);
    index += 1 + taken;
  }
  return { looseWords, options: given };
}

/** `--target=prod` into its halves. A short option has no such form: dbt would read `-t=prod` as the target `=prod`. */
function splitOption(text: string): { name: string; glued: string | undefined } {
  const equals = text.startsWith('--') ? text.indexOf('=') : -1;
  if (equals === -1) return { name: text, glued: undefined };
  return { name: text.slice(0, equals), glued: text.slice(equals + 1) };
}

/** How many of the words from `first` on are values of the option. */
function countValues(option: Option, glued: string | undefined, words: Word[], first: number): number {
  if (option.takes === 'nothing') return 0;
  if (option.takes !== 'many' && glued !== undefined) return 0;
  const limit = option.takes === 'many' ? words.length : first + 1;
  let index = first;
  while (index < limit && index < words.length && !words[index]!.text.startsWith('-')) index += 1;
  return index - first;
}

interface Wrong {
  /** The word that is wrong; the option itself when absent. */
  at?: Word;
  problem: string;
}

function valuesProblem(option: Option, glued: string | undefined, words: Word[]): Wrong | undefined {
  if (option.takes === 'nothing') {
    return glued === undefined ? undefined : { problem: 'takes no value; write it alone, or leave it out' };
  }
  if (glued === undefined && words.length === 0) {
    return { problem: 'needs a value after it that does not start with a hyphen' };
  }
  if (glued !== undefined) {
    const problem = firstProblem(option, glued);
    if (problem !== undefined) return { problem };
  }
  for (const [index, word] of words.entries()) {
    const problem =
      glued === undefined && index === 0 ? firstProblem(option, word.text) : option.check(word.text);
    if (problem !== undefined) return { at: word, problem };
  }
  return undefined;
}

/** dbt splits the first value of an option that takes many at its spaces, and leaves the others as they are. */
function firstProblem(option: Exclude<Option, { takes: 'nothing' }>, value: string): string | undefined {
  const parts = option.takes === 'many' ? value.split(' ') : [value];
  for (const part of parts) {
    const problem = option.check(part);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
