import { parseArgs } from 'node:util';
import type { Candidate, Command, OptionSpecs } from '../command.ts';
import { firstWord } from '../help.ts';
import { plain } from '../output/plain.ts';
import { commonOptions, findCommand, writtenName } from '../parse.ts';
import type { Shell } from '../shell.ts';

/**
 * The lines that a shell's script reads: each a word, and what it is about where the shell shows that. Given are which
 * shell it is, and the words written so far, the last of them unfinished.
 */
export async function candidatesFor(
  [shellName = '', ...words]: string[],
  commands: readonly Command[],
  shell: Shell,
): Promise<string[]> {
  const current = words.at(-1) ?? '';
  // A server that is away, or a folder that is none's, offers nothing: whoever presses Tab wants no error.
  const found = await candidates(words.slice(0, -1), current, commands, shell).catch(() => []);
  return found
    .filter(({ value }) => value.startsWith(current) && plain(value) === value)
    .map(({ value, about }) => {
      if (shellName === 'bash') return quotedForBash(value);
      return about === undefined ? value : `${value}\t${plain(about)}`;
    });
}

async function candidates(
  before: string[],
  current: string,
  commands: readonly Command[],
  shell: Shell,
): Promise<Candidate[]> {
  const { command, words, rest } = findCommand(before, commands);
  const further = wordsBehind(words, commands);
  if (command === undefined) return current.startsWith('-') ? optionsOf(undefined) : further;

  const { option, positionals, given } = readSoFar(command, rest);
  if (option !== undefined) return valuesOf(option, shell, given);
  if (current.startsWith('-')) return optionsOf(command);
  const specs = Object.values(command.arguments);
  const spec = specs[positionals] ?? (specs.at(-1)?.many === true ? specs.at(-1) : undefined);
  const ofArgument = spec === undefined ? [] : await valuesOf(spec, shell, given);
  // `dctl jobs` is a command, and `dctl jobs create` another one.
  return positionals === 0 && words.length === 1 ? [...further, ...ofArgument] : ofArgument;
}

function wordsBehind(words: string[], commands: readonly Command[]): Candidate[] {
  if (words.length === 0) {
    const first = new Map(commands.toReversed().map(({ name, summary }) => [firstWord(name), summary]));
    return [...first].map(([value, about]) => ({ value, about })).toReversed();
  }
  const begin = `${words.join(' ')} `;
  return commands
    .filter(({ name }) => name.startsWith(begin))
    .map(({ name, summary }) => ({ value: name.slice(begin.length), about: summary }));
}

function optionsOf(command: Command | undefined): Candidate[] {
  const specs = { ...command?.options, ...commonOptions } as OptionSpecs;
  return Object.entries(specs).map(([name, { about }]) => ({ value: `--${writtenName(name)}`, about }));
}

/** What stands before the word that is being written: whether that is the value of an option, or which argument it is. */
function readSoFar(command: Command, rest: string[]) {
  const specs = { ...command.options, ...commonOptions } as OptionSpecs;
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { value, short }]) => [
      writtenName(name),
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  const { tokens } = parseArgs({ args: rest, options, allowPositionals: true, strict: false, tokens: true });
  const last = tokens.at(-1);
  const specOf = (written: string) =>
    Object.entries(specs).find(([name]) => writtenName(name) === written)?.[1];
  const open = last?.kind === 'option' && last.value === undefined ? specOf(last.name) : undefined;
  const given = Object.fromEntries(
    tokens.flatMap((token) => (token.kind === 'option' ? [[token.name, token.value]] : [])),
  );
  return {
    option: open?.value === undefined ? undefined : open,
    positionals: tokens.filter(({ kind }) => kind === 'positional').length,
    given,
  };
}

async function valuesOf(
  {
    choices,
    completes,
  }: { choices?: readonly string[]; completes?: Command['options'][string]['completes'] },
  shell: Shell,
  given: Record<string, unknown>,
): Promise<Candidate[]> {
  if (choices !== undefined) return choices.map((value) => ({ value }));
  return completes === undefined ? [] : completes(shell, given);
}

/** bash puts what it is given onto the command line as it is: nothing in a name may mean anything there. */
function quotedForBash(value: string): string {
  return value.replace(/[^\w./:@%+,=-]/gu, (character) => `\\${character}`);
}
