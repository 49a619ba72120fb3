import { readArguments, type ArgumentRule } from './arguments.ts';
import { allowedOptions } from './dbt-options.ts';
import type { Subcommand } from './dbt-options.ts';
import { optionRefusal, subcommandRefusal } from './dbt-refused.ts';
import { refuse, shown } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { selector } from './values.ts';
import type { Word } from './words.ts';

/** Judges the words after `dbt`. `end`: where the command ends, for what is missing there. */
export function readDbtWords(words: Word[], end: number): { subcommand: string } | Refusal {
  const found = findSubcommand(words, end);
  if ('detail' in found) return found;
  const { subcommand, length } = found;
  const given = readArguments(ruleOf(subcommand), words.slice(length));
  if ('detail' in given) return given;
  if (subcommand === 'run-operation' && given.looseWords === 0) {
    return refuse(end, 'The macro is missing; write dbt run-operation my_macro.');
  }
  return { subcommand };
}

export function isDbtSubcommand(text: string): text is Subcommand {
  return Object.hasOwn(allowedOptions, text);
}

function findSubcommand(words: Word[], end: number): { subcommand: Subcommand; length: number } | Refusal {
  const [first, second] = words;
  if (!first) return refuse(end, 'The subcommand is missing; write for example dbt build.');
  if (first.text.startsWith('-')) {
    return refuse(first.start, 'Options stand after the subcommand; write for example dbt build --quiet.');
  }
  if (first.isQuoted) {
    return refuse(first.start, 'The subcommand has no quotes; write for example dbt build.');
  }

  if (first.text === 'ls') return { subcommand: 'list', length: 1 };
  if (isDbtSubcommand(first.text)) return { subcommand: first.text, length: 1 };
  const both = `${first.text} ${second?.text ?? ''}`;
  if (isDbtSubcommand(both) && !second?.isQuoted) return { subcommand: both, length: 2 };
  return refuse(first.start, subcommandRefusal(both));
}

function ruleOf(subcommand: Subcommand): ArgumentRule {
  return {
    options: allowedOptions[subcommand],
    looseWordProblem: (text, earlier) => looseWordProblem(subcommand, text, earlier),
    optionRefusal: (option) => optionRefusal(subcommand, option),
  };
}

const macroName = /^[A-Za-z_]\w{0,127}(?:\.[A-Za-z_]\w{0,127})?$/;

function looseWordProblem(subcommand: Subcommand, text: string, earlier: number): string | undefined {
  if (subcommand === 'run-operation') {
    if (earlier > 0) return `${shown(text)} follows the macro; pass its values with --args.`;
    if (macroName.test(text)) return undefined;
    return 'A macro is given by its plain name; write my_macro or my_package.my_macro.';
  }
  if (allowedOptions[subcommand].has('--select') && selector(text) === undefined) {
    return `${shown(text)} belongs to no option; write --select before what to select.`;
  }
  return `${shown(text)} belongs to no option; remove it, or put quotes around a value that has spaces.`;
}
