import { describe, expect, test } from '@jest/globals';
import { commandGroups, commands } from '../../cli/commands.ts';
import { firstWord, helpOf, helpOfAll } from '../../cli/help.ts';
import { tableLines } from '../../cli/output/table.ts';
import { commonOptions, findCommand, parseGiven, refuseMistypedWord, writtenName } from '../../cli/parse.ts';
import { UsageError } from '../../cli/failure.ts';
import { quoted } from '../../cli/commands/trigger.ts';
import { splitWords } from '../../src/commands/words.ts';

test('each command is in the list of all, under one name, and has a help of its own', () => {
  const names = commands.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const all = helpOfAll(commands, commandGroups);
  for (const command of commands) {
    expect(all).toContain(`  ${command.name}`);
    expect(helpOf(command)).toContain(command.summary);
    for (const example of command.examples ?? []) expect(example).toMatch(/dctl /);
  }
  expect(commandGroups.flatMap((group) => group.names).toSorted()).toEqual(
    [...new Set(names.map(firstWord))].toSorted(),
  );
});

test('no option of a command takes the place of one that all commands have, and no two have one letter', () => {
  for (const { name, options } of commands) {
    for (const option of Object.keys(options)) expect(Object.keys(commonOptions)).not.toContain(option);
    const letters = Object.values({ ...options, ...commonOptions }).flatMap((option) =>
      'short' in option && option.short !== undefined ? [option.short] : [],
    );
    expect([name, new Set(letters).size]).toEqual([name, letters.length]);
  }
});

test('only the last arguments of a command may be left out or be many', () => {
  for (const command of commands) {
    const specs = Object.values(command.arguments);
    specs.slice(0, -1).forEach((spec, index) => {
      expect([command.name, spec.many]).toEqual([command.name, undefined]);
      if (spec.isOptional === true) expect(specs[index + 1]?.isOptional).toBe(true);
    });
  }
});

const given = (line: string) => {
  const { command, rest } = findCommand(line.split(' '), commands);
  return parseGiven(command!, rest);
};

test('options may stand before and behind the command, and a value may begin with a dash', () => {
  expect(given('--json --host a.example.com jobs show nightly -p shop')).toMatchObject({
    json: true,
    host: 'a.example.com',
    job: 'nightly',
    project: 'shop',
  });
  expect(given('trigger nightly --cause=-x --select a --select b')).toMatchObject({
    cause: '-x',
    select: ['a', 'b'],
    wait: false,
  });
  expect(given('env set A=1 -e staging B=2')).toMatchObject({
    variables: ['A=1', 'B=2'],
    environment: 'staging',
  });
});

test.each([
  ['trigger', 'Write JOB'],
  ['trigger a b', 'b is one too many'],
  ['trigger a --folow', 'Did you mean --follow?'],
  ['runs --status sucess', 'Did you mean success?'],
  ['runs --limit none', 'whole number'],
  ['runs --since yesterday', '2026-11-30'],
  ['runs --limit', '--limit N'],
  ['trigger a --cause -x', '--cause=-'],
  ['trigger a --wait=yes', '--wait takes no value'],
  ['jobs set a --timeout soon', '30m'],
  ['completion tcsh', 'bash, zsh, fish'],
  ['trigger a --meta x', 'NAME=VALUE'],
])('dctl %s is refused, and it is said what to write', (line, sentence) => {
  expect(() => given(line)).toThrow(UsageError);
  expect(() => given(line)).toThrow(sentence);
});

test('jobs list is jobs, and a mistyped second word is told the one that was meant', () => {
  const found = (line: string) => findCommand(line.split(' '), commands);
  expect(found('jobs list -p shop')).toMatchObject({ command: { name: 'jobs' }, rest: ['-p', 'shop'] });
  expect(found('runs list')).toMatchObject({ command: { name: 'runs' }, rest: [] });
  expect(found('artifacts list latest')).toMatchObject({ command: { name: 'artifacts' }, rest: ['latest'] });
  expect(found('deploy list')).toMatchObject({ command: { name: 'deploy' }, rest: ['list'] });
  for (const [line, meant] of [
    ['jobs craete nightly', 'jobs create'],
    ['artifacts downlod latest', 'artifacts download'],
    ['deployments rollback', 'deployments roll-back'],
  ] as const) {
    const { command, rest } = found(line);
    expect(() => refuseMistypedWord(command!, rest, commands)).toThrow(`Did you mean ${meant}?`);
  }
  const { command, rest } = found('artifacts latest');
  expect(() => refuseMistypedWord(command!, rest, commands)).not.toThrow();
});

describe('a table in a narrow terminal', () => {
  const id = '9c0b0058-f214-4b21-859b-9247d2b0f44a';
  const lines = (columns: number) =>
    tableLines(['RUN', 'NAME', 'WHEN', 'CAUSE'], [[id, 'n'.repeat(40), '2 min ago', 'y'.repeat(40)]], {
      columns,
      paint: (_style, text) => text,
    });

  test.each([200, 132, 100, 80, 66, 40])('keeps to %s columns, and never cuts an id', (columns) => {
    for (const line of lines(columns)) expect(line.length).toBeLessThanOrEqual(columns);
    expect(lines(columns)[1]).toContain(id);
  });

  test('cuts what is long, and leaves out what tells least', () => {
    expect(lines(200)[1]).toBe(`${id}  ${'n'.repeat(40)}  2 min ago  ${'y'.repeat(40)}`);
    expect(lines(100)[1]).toBe(`${id}  ${'n'.repeat(23)}…  2 min ago  ${'y'.repeat(24)}…`);
    expect(lines(78)).toEqual([
      `RUN${' '.repeat(35)}NAME${' '.repeat(27)}WHEN`,
      `${id}  ${'n'.repeat(28)}…  2 min ago`,
    ]);
    expect(lines(40)).toEqual(['RUN', id]);
  });

  test('and so does a help', () => {
    for (const columns of [60, 80, 120])
      for (const line of helpOfAll(commands, commandGroups, columns).split('\n'))
        expect(line.length).toBeLessThanOrEqual(columns);
  });
});

test('words that are selected reach dbt as they were typed', () => {
  const plain = [
    'orders+',
    '+stg_orders',
    'tag:nightly,config.materialized:table',
    '1+x+2',
    '@a',
    'path:a/*',
  ];
  expect(plain.map(quoted)).toEqual(plain);
  const words = [...plain, "it's", '{a}', 'a"b\\c', '\'"', 'ünï'];
  const read = splitWords(words.map(quoted).join(' '));
  expect(Array.isArray(read) ? read.map(({ text }) => text) : read).toEqual(words);
});

test('a name in code is written with dashes', () => {
  expect(writtenName('cancelOnInterrupt')).toBe('cancel-on-interrupt');
});
