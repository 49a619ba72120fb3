import { parseArgs } from 'node:util';
import type { ArgumentSpecs, Command, OptionSpec, OptionSpecs } from './command.ts';
import { UsageError } from './failure.ts';
import { suggestion } from './suggest.ts';

/** What every command takes. */
export const commonOptions = {
  json: { about: 'print the result as JSON' },
  host: { about: 'the address of another server than the current one', value: 'URL' },
  help: { about: 'show this help', short: 'h' },
} satisfies OptionSpecs;

/** `dryRun` as it is written: `dry-run`. */
export function writtenName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Where the command's words are: the first that are no options. Options that every command takes may stand before them.
 */
export function findCommand(
  args: readonly string[],
  commands: readonly Command[],
): { command: Command | undefined; words: string[]; rest: string[] } {
  let start = 0;
  while (args[start]?.startsWith('-') === true) start += args[start] === '--host' ? 2 : 1;
  const words = args.slice(start, start + 2);
  for (const count of [2, 1]) {
    const name = words.slice(0, count).join(' ');
    const command = words.length >= count ? commandNamed(name, commands) : undefined;
    if (command === undefined) continue;
    return {
      command,
      words: words.slice(0, count),
      rest: [...args.slice(0, start), ...args.slice(start + count)],
    };
  }
  return { command: undefined, words, rest: args.slice(0, start) };
}

/** `jobs` lists the jobs, and whoever writes `jobs list` means that. */
function commandNamed(name: string, commands: readonly Command[]): Command | undefined {
  const exact = commands.find((each) => each.name === name);
  if (exact !== undefined || !name.endsWith(' list')) return exact;
  const [word] = name.split(' ');
  const isList = ({ arguments: specs }: Command) =>
    Object.keys(specs).length === 0 || furtherWords(word!, commands).length > 0;
  return commands.find((each) => each.name === word && isList(each));
}

/** What can follow a word: `set` and `delete` behind `secret`. */
export function furtherWords(word: string, commands: readonly Command[]): string[] {
  const begin = `${word} `;
  return commands.flatMap(({ name }) => (name.startsWith(begin) ? [name.slice(begin.length)] : []));
}

/** Throws where what follows a command's word was to be another word of it: `jobs craete`. */
export function refuseMistypedWord(
  { name, arguments: specs }: Command,
  rest: readonly string[],
  commands: readonly Command[],
): void {
  const further = furtherWords(name, commands);
  const [next] = rest;
  if (further.length === 0 || next === undefined || next.startsWith('-')) return;
  const close = suggestion(
    `${name} ${next}`,
    [...further, 'list'].map((word) => `${name} ${word}`),
  );
  // A command with arguments may well be given that word as one.
  if (Object.keys(specs).length > 0 && suggestion(next, further) === '') return;
  throw new UsageError(`There is no command ${name} ${next}.${close} See dctl help ${name}.`);
}

/** What was given to a command, by name. Throws a `UsageError` that says what to write instead. */
export function parseGiven(command: Command, rest: readonly string[]): Record<string, unknown> {
  const { values, positionals } = readOptions(command, rest);
  if (values['help'] === true) return { help: true };
  const options = Object.entries({ ...commonOptions, ...command.options } as OptionSpecs);
  return {
    ...Object.fromEntries(
      options.map(([name, spec]) => [name, optionValue(name, spec, values[writtenName(name)])]),
    ),
    ...argumentValues(command, positionals),
  };
}

function readOptions(command: Command, args: readonly string[]) {
  const specs = { ...commonOptions, ...command.options } as OptionSpecs;
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { value, many = false, short }]) => [
      writtenName(name),
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: many,
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const [, written = ''] = /'(-[^']*)'/.exec(message) ?? [];
      const known = Object.keys(specs).map((name) => `--${writtenName(name)}`);
      throw new UsageError(
        `dctl ${command.name} has no option ${written}.${suggestion(written, known)} See dctl ${command.name} --help.`,
        { cause: error },
      );
    }
    if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE')
      throw new UsageError(howToWrite(command, specs, message), { cause: error });
    throw error;
  }
}

/** Of an option that was given no value, or one that it does not take. Node's message says which it was. */
function howToWrite({ name: command }: Command, specs: OptionSpecs, message: string): string {
  const [, written = ''] = /--([a-z-]+)/.exec(message) ?? [];
  const value = Object.entries(specs).find(([name]) => writtenName(name) === written)?.[1].value;
  if (value === undefined) return `--${written} takes no value. See dctl ${command} --help.`;
  if (message.includes('ambiguous'))
    return `Write a value behind it: --${written} ${value}; one that begins with a dash as --${written}=-...`;
  return `Write a value behind it: --${written} ${value}. See dctl ${command} --help.`;
}

function optionValue(name: string, spec: OptionSpec, given: unknown): unknown {
  if (spec.value === undefined) return given === true;
  const read = (text: string): unknown => {
    refuseUnlessChoice(`--${writtenName(name)}`, text, spec.choices);
    return spec.parse === undefined ? text : spec.parse(text);
  };
  if (spec.many === true) return ((given ?? []) as string[]).map(read);
  return given === undefined ? undefined : read(given as string);
}

function argumentValues({ name: command, arguments: specs }: Command, positionals: string[]) {
  const left = [...positionals];
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(specs)) {
    if (left.length === 0 && spec.isOptional !== true)
      throw new UsageError(
        `Write ${usageOf(specs)} after dctl ${command}: ${name.toUpperCase()} is ${spec.about}.`,
      );
    const taken = spec.many === true ? left.splice(0) : left.splice(0, 1);
    for (const text of taken) refuseUnlessChoice(name.toUpperCase(), text, spec.choices);
    values[name] = spec.many === true ? taken : taken[0];
  }
  if (left.length === 0) return values;
  throw new UsageError(
    `dctl ${command} takes ${usageOf(specs) || 'no arguments'}: ${left[0]} is one too many. See dctl ${command} --help.`,
  );
}

/** `JOB [FOLDER]` */
export function usageOf(specs: ArgumentSpecs): string {
  return Object.entries(specs)
    .map(([name, { isOptional, many }]) => {
      const shown = `${name.toUpperCase()}${many === true ? '...' : ''}`;
      return isOptional === true ? `[${shown}]` : shown;
    })
    .join(' ');
}

function refuseUnlessChoice(name: string, text: string, choices: readonly string[] | undefined): void {
  if (choices === undefined || choices.includes(text)) return;
  throw new UsageError(`${name} is one of ${choices.join(', ')}, not ${text}.${suggestion(text, choices)}`);
}
