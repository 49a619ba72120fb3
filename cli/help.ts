import type { Command, OptionSpecs } from './command.ts';
import { commonOptions, usageOf, writtenName } from './parse.ts';

const indent = '  ';
const gap = '  ';
/** Of the left column. */
const widest = 30;
/** Of the right column. */
const narrowest = 24;

/** The list of all commands. */
export function helpOfAll(
  commands: readonly Command[],
  groups: readonly Group[],
  columns = Infinity,
): string {
  const rows = groups.map(
    ({ title, names }) =>
      `${title}\n${aligned(commands.filter(({ name }) => names.includes(firstWord(name))).map(rowOf), columns)}`,
  );
  return [
    'dctl COMMAND [options]',
    wrapped(
      'Deploys dbt projects to a dctl server, runs their jobs there and shows what came of it.',
      columns,
    ),
    ...rows,
    `Options of all commands\n${aligned([...optionRows(commonOptions), ['--version', 'show the version']], columns)}`,
    wrapped(
      'Exit codes: 0 success, 1 the run failed or is partial, 2 an error, 3 the command was not written correctly.',
      columns,
    ),
    'dctl COMMAND --help shows the options of a command.',
  ].join('\n\n');
}

export interface Group {
  title: string;
  /** The first words of the group's commands. */
  names: readonly string[];
}

/** The commands that begin with a word: `dctl secret`. */
export function helpOfGroup(word: string, commands: readonly Command[], columns = Infinity): string {
  const rows = commands.filter(({ name }) => firstWord(name) === word).map(rowOf);
  const isCommandToo = commands.some(({ name }) => name === word);
  return [
    `dctl ${word} ${isCommandToo ? '[COMMAND]' : 'COMMAND'} [options]`,
    aligned(rows, columns),
    `dctl ${isCommandToo ? word : `${word} COMMAND`} --help shows its arguments and options.`,
  ].join('\n\n');
}

export function helpOf(command: Command, columns = Infinity): string {
  const { name, summary, details, examples = [], arguments: specs, options } = command;
  const usage = ['dctl', name, usageOf(specs), Object.keys(options).length > 0 ? '[options]' : '']
    .filter((part) => part !== '')
    .join(' ');
  const arguments_ = Object.entries(specs).map(([each, { about, choices }]): Row => [
    each.toUpperCase(),
    about + choicesOf(choices),
  ]);
  return [
    usage,
    wrapped(`${summary}.${details === undefined ? '' : ` ${details}`}`, columns),
    ...(arguments_.length > 0 ? [aligned(arguments_, columns)] : []),
    ...(Object.keys(options).length > 0 ? [`Options\n${aligned(optionRows(options), columns)}`] : []),
    `Options of all commands\n${aligned(optionRows(commonOptions), columns)}`,
    ...(examples.length > 0 ? [`Examples\n${examples.map((each) => indent + each).join('\n')}`] : []),
  ].join('\n\n');
}

type Row = [left: string, right: string];

function rowOf({ name, summary, arguments: specs }: Command): Row {
  return [`${name} ${usageOf(specs)}`.trim(), summary];
}

function optionRows(options: OptionSpecs): Row[] {
  return Object.entries(options).map(([name, { short, value, about, many, choices }]) => [
    `${short === undefined ? '' : `-${short}, `}--${writtenName(name)}${value === undefined ? '' : ` ${value}`}`,
    `${about}${choicesOf(choices)}${many === true ? '; may be repeated' : ''}`,
  ]);
}

function choicesOf(choices: readonly string[] | undefined): string {
  return choices === undefined ? '' : `: ${choices.join(', ')}`;
}

/** Two columns, the right one as wide as the terminal has room for. */
function aligned(rows: Row[], columns: number): string {
  const width = Math.min(widest, Math.max(...rows.map(([left]) => left.length)));
  const margin = `\n${' '.repeat(indent.length + width + gap.length)}`;
  const room = Math.max(narrowest, columns - margin.length + 1);
  return rows
    .map(([left, right]) => {
      const begin = left.length > width ? indent + left + margin : indent + left.padEnd(width) + gap;
      return begin + wrapped(right, room).replaceAll('\n', margin);
    })
    .join('\n');
}

function wrapped(text: string, columns: number): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

export function firstWord(name: string): string {
  return name.split(' ')[0]!;
}
