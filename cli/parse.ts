import { parseArgs } from 'node:util';
import type { ArgumentSpecs, Command, OptionSpec, OptionSpecs } from './command.ts';
import { UsageError } from './failure.ts';
import { suggestion } from './suggest.ts';

/** What every command takes. */
export const commonOptions = {
  json: { about: 'the result as JSON on stdout, for scripts' },
  host: { about: 'another server than the current one, by its address', value: 'URL' },
  help: { about: 'show this', short: 'h' },
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
    const command = words.length >= count ? commands.find((each) => each.name === name) : undefined;
    if (command === undefined) continue;
    return {
      command,
      words: words.slice(0, count),
      rest: [...args.slice(0, start), ...args.slice(start + count)],
    };
  }
  return { command: undefined, words, rest: args.slice(0, start) };
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
    if (code?.startsWith('ERR_PARSE_ARGS') === true)
      throw new UsageError(`${message.split('\n')[0]} See dctl ${command.name} --help.`, { cause: error });
    throw error;
  }
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
