import type { Command, OptionSpecs } from './command.ts';
import { commonOptions, usageOf, writtenName } from './parse.ts';

const indent = '  ';
const widest = 30;

/** The list of all commands. */
export function helpOfAll(commands: readonly Command[], groups: readonly Group[]): string {
  const rows = groups.map(
    ({ title, names }) =>
      `${title}\n${aligned(commands.filter(({ name }) => names.includes(firstWord(name))).map(rowOf))}`,
  );
  return [
    'dctl COMMAND [options]',
    'Deploys dbt projects to a dctl server, runs their jobs there and shows what came of it.',
    ...rows,
    `Options of all commands\n${aligned([...optionRows(commonOptions), ['--version', 'show the version']])}`,
    'Exit codes: 0 success, 1 the run failed or is partial, 2 an error, 3 the command line is to be written differently.',
    'dctl COMMAND --help says more of a command.',
  ].join('\n\n');
}

export interface Group {
  title: string;
  /** The first words of the group's commands. */
  names: readonly string[];
}

/** The commands that begin with a word: `dctl secret`. */
export function helpOfGroup(word: string, commands: readonly Command[]): string {
  const rows = commands.filter(({ name }) => firstWord(name) === word).map(rowOf);
  return [`dctl ${word} COMMAND [options]`, aligned(rows)].join('\n\n');
}

export function helpOf(command: Command): string {
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
    `${summary}.${details === undefined ? '' : ` ${details}`}`,
    ...(arguments_.length > 0 ? [aligned(arguments_)] : []),
    ...(Object.keys(options).length > 0 ? [`Options\n${aligned(optionRows(options))}`] : []),
    `Options of all commands\n${aligned(optionRows(commonOptions))}`,
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

function aligned(rows: Row[]): string {
  const width = Math.min(widest, Math.max(...rows.map(([left]) => left.length)));
  return rows
    .map(([left, right]) =>
      left.length > width
        ? `${indent}${left}\n${indent}${' '.repeat(width)}  ${right}`
        : `${indent}${left.padEnd(width)}  ${right}`,
    )
    .join('\n');
}

export function firstWord(name: string): string {
  return name.split(' ')[0]!;
}
