import { allowedOptions } from './options.ts';
import type { Option, Subcommand } from './options.ts';
import { refuse, shown } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { optionRefusal } from './refused.ts';
import { selector } from './values.ts';
import type { Word } from './words.ts';

/** Walks over the words after the subcommand as dbt does. Options come in any order, and may stand before the macro. */
export function findWrongArgument(subcommand: Subcommand, words: Word[], end: number): Refusal | undefined {
  const given = new Set<string>();
  let macro: Word | undefined;
  let index = 0;
  while (index < words.length) {
    const word = words[index]!;
    if (!word.text.startsWith('-')) {
      const isMacro = subcommand === 'run-operation' && !macro;
      if (!isMacro) return refuse(word.start, strayWordProblem(subcommand, word.text));
      if (!macroName.test(word.text)) return refuse(word.start, macroProblem);
      macro = word;
      index += 1;
      continue;
    }
    const { name, glued } = splitOption(word.text);
    const option: Option | undefined = allowedOptions[subcommand].get(name);
    if (!option) return refuse(word.start, optionRefusal(subcommand, name));
    const taken = countValues(option, glued, words, index + 1);
    const wrong = valuesProblem(option, glued, words.slice(index + 1, index + 1 + taken));
    if (wrong) return refuse(wrong.at?.start ?? word.start, `${name} ${wrong.problem}.`);
    if (option.takes === 'one') {
      if (given.has(option.name)) return refuse(word.start, `${name} is given twice; keep one of the two.`);
      given.add(option.name);
    }
    index += 1 + taken;
  }
  if (subcommand !== 'run-operation' || macro) return undefined;
  return refuse(end, 'The macro is missing; write dbt run-operation my_macro.');
}

const macroName = /^[A-Za-z_]\w{0,127}(?:\.[A-Za-z_]\w{0,127})?$/;
const macroProblem = 'A macro is given by its plain name; write my_macro or my_package.my_macro.';

function strayWordProblem(subcommand: Subcommand, text: string): string {
  if (subcommand === 'run-operation') return `${shown(text)} follows the macro; pass its values with --args.`;
  if (allowedOptions[subcommand].has('--select') && selector(text) === undefined) {
    return `${shown(text)} belongs to no option; write --select before what to select.`;
  }
  return `${shown(text)} belongs to no option; remove it, or put quotes around a value that has spaces.`;
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
  if (option.takes === 'one' && glued !== undefined) return 0;
  const limit = option.takes === 'one' ? first + 1 : words.length;
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
