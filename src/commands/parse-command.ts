import { findWrongArgument } from './arguments.ts';
import { allowedOptions } from './options.ts';
import type { Subcommand } from './options.ts';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { subcommandRefusal } from './refused.ts';
import { findBlockedText } from './text.ts';
import { splitWords } from './words.ts';
import type { Word } from './words.ts';

export interface AcceptedCommand {
  accepted: true;
  /** The text without the spaces around it. */
  command: string;
  /** What stands after `dbt`, word by word, byte for byte what dbt gets. */
  argv: string[];
  subcommand: Subcommand;
}

export type CommandVerdict = AcceptedCommand | Refusal;

/**
 * Says whether a dbt command may run, be it the command of a job or the one that overrides it, and splits it into
 * words. Everything is refused that is not known to be harmless: first by character, then by word, then by option and
 * value. Never throws, and takes well below 5 ms for any text.
 */
export function parseCommand(text: string): CommandVerdict {
  const blocked = findBlockedText(text);
  if (blocked) return blocked;
  const words = splitWords(text);
  if (!Array.isArray(words)) return words;

  const [program, ...rest] = words;
  if (!program) return refuse(0, 'The command is empty; write a dbt command such as dbt build.');
  if (program.text !== 'dbt' || program.isQuoted) return refuse(program.start, programProblem(program));
  const found = findSubcommand(rest, program.end);
  if ('detail' in found) return found;
  const refusal = findWrongArgument(found.subcommand, rest.slice(found.length), words.at(-1)!.end);
  if (refusal) return refusal;

  return {
    accepted: true,
    command: text.slice(program.start, words.at(-1)!.end),
    argv: rest.map((word) => word.text),
    subcommand: found.subcommand,
  };
}

function programProblem(program: Word): string {
  if (/^\w+=/.test(program.text)) {
    return 'A command sets no variables; set them on the environment, and begin with the word dbt.';
  }
  if (isSubcommand(program.text)) return `A command begins with the word dbt; write dbt ${program.text}.`;
  return 'A command begins with the word dbt, in small letters, without quotes or a path; write for example dbt build.';
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
  if (isSubcommand(first.text)) return { subcommand: first.text, length: 1 };
  const both = `${first.text} ${second?.text ?? ''}`;
  if (isSubcommand(both) && !second?.isQuoted) return { subcommand: both, length: 2 };
  return refuse(first.start, subcommandRefusal(both));
}

function isSubcommand(text: string): text is Subcommand {
  return Object.hasOwn(allowedOptions, text);
}
