import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCommand as parse } from '../../src/commands/parse-command.ts';
import { plainCommands, pointer, quotedCommands, refusedCommands } from './cases.ts';

const parseCommand = (text: string) => parse(text, 'dbt');
const accepted: Array<[text: string, argv: string[]]> = [
  ...plainCommands.map((text): [string, string[]] => [text, text.split(' ').slice(1)]),
  ...quotedCommands,
];
const refused = Object.values(refusedCommands)
  .flat()
  .map(([text]) => text.replace(pointer, ''));
const pieces = [
  ...'build |run |docs generate |--select |-s |--vars |--vars=|--threads 4 |--quiet |a |tag:x |--|..|{a: b}'.split(
    '|',
  ),
  ...`- |? |a: |! |*a |: |\\"|"k":1,|{"a":|'a: 1' `.split('|'),
  ...`'" {}[],:-=$#/\\\uff1b\u0301\ufdfa🙂`,
  '\ud800',
];
const anyText = fc.string({ unit: 'binary', maxLength: 300 });
const anyHalves = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
});
// Made of what a command is made of, so that many of them get far.
const commandLike = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'grapheme', maxLength: 4 })), {
    maxLength: 40,
  })
  .map((parts) => `dbt ${parts.join('')}`);

describe('a command that may run', () => {
  test.each(accepted)('reaches dbt word by word: %s', (text, argv) => {
    expect(parseCommand(text)).toMatchObject({ accepted: true, command: text.replace(/^ +| +$/g, ''), argv });
  });

  test('names its subcommand in one way, however it is written', () => {
    expect(parseCommand('dbt ls')).toMatchObject({ subcommand: 'list' });
    expect(parseCommand('dbt  docs  generate')).toMatchObject({ subcommand: 'docs generate' });
  });

  test('may fill all 8192 characters', () => {
    const text = `dbt run -s ${'a'.repeat(8181)}`;
    expect(text).toHaveLength(8192);
    expect(parseCommand(text)).toMatchObject({ accepted: true });
  });

  test('gives the same words when its words are quoted anew', () => {
    for (const [text, argv] of accepted) {
      expect(parseCommand(`dbt ${argv.map(quote).join(' ')}`)).toMatchObject({ accepted: true, argv });
      expect(parseCommand(text)).toMatchObject({ argv });
    }
  });
});

describe.each(Object.entries(refusedCommands))('%s', (_rule, cases) => {
  const named = cases.map(([text, detail]) => ({ name: JSON.stringify(text.slice(0, 60)), text, detail }));
  test.each(named)('refused: $name', ({ text, detail }) => {
    const verdict = parseCommand(text.replace(pointer, ''));
    const position = text.indexOf(pointer);
    expect(verdict).toEqual({ accepted: false, position, detail: expect.stringMatching(detail) });
  });
});

describe('a refusal', () => {
  test('is one plain sentence and points into the text', () => {
    for (const text of refused) expectPlainRefusal(text);
    fc.assert(fc.property(fc.oneof(anyText, anyHalves, commandLike), expectPlainRefusal), { numRuns: 2000 });
  });

  test('does not repeat what an escape in a value stands for', () => {
    const verdict = parseCommand(String.raw`dbt run --warn-error-options '{"\u001b[2J": []}'`);
    expect(verdict).toMatchObject({ accepted: false, detail: expect.not.stringMatching(/\p{C}|2J/u) });
  });
});

test('a blocked character is refused wherever it stands', () => {
  const blocked = [...';&|`<>\n\r\0\u00a0\u200b\u2028\uff1b\u201c', '$(', '${', '$x'];
  const spoiled = accepted.flatMap(([text]) =>
    blocked.flatMap((inserted) =>
      Array.from(
        { length: text.length + 1 },
        (_, position) => text.slice(0, position) + inserted + text.slice(position),
      ),
    ),
  );
  expect(spoiled.filter((text) => parseCommand(text).accepted)).toEqual([]);
});

test('every form of a blocked character in Unicode is refused', () => {
  for (let code = 0x80; code <= 0x10ffff; code++) {
    const form = String.fromCodePoint(code);
    if (!/[;&|`<>$\p{Cc}]/u.test(form.normalize('NFKC'))) continue;
    const verdict = parseCommand(`dbt run --vars '{"a": "${form}"}'`);
    expect(verdict).toMatchObject({ accepted: false, position: 23 });
  }
});

describe('a check never throws and is done within 5 ms', () => {
  test('on any text', () => {
    fc.assert(fc.property(fc.oneof(anyText, anyHalves, commandLike), expectQuick), { numRuns: 1000 });
  });

  test.each(pieces)('on a text full of %j', (piece) => {
    for (const [before, after] of [
      ['', ''],
      ['dbt run ', ''],
      ['dbt run -s ', ''],
      ["dbt run --vars '", "'"],
      ["dbt run --vars '{a: ", "}'"],
      ['dbt run --vars "', '"'],
    ] as const) {
      for (const length of [300, 600, 8192, 8193, 1_000_000]) {
        const count = Math.floor((length - before.length - after.length) / piece.length);
        expectQuick(before + piece.repeat(count) + after);
      }
    }
  });
});

function expectPlainRefusal(text: string): void {
  const verdict = parseCommand(text);
  if (verdict.accepted) return;
  expect(verdict.detail).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]+[.?]$/u);
  expect(verdict.detail).not.toMatch(/[.?] \p{Lu}/u);
  expect(verdict.detail.length).toBeLessThan(300);
  expect(verdict.position).toBeGreaterThanOrEqual(0);
  expect(verdict.position).toBeLessThanOrEqual(text.length);
}

/** The best of some attempts counts: on a busy machine, one can be slow through no fault of the check. */
function expectQuick(text: string): void {
  let bestMs = Infinity;
  for (let attempt = 0; attempt < 40 && bestMs >= 5; attempt++) {
    const begin = performance.now();
    parseCommand(text);
    bestMs = Math.min(bestMs, performance.now() - begin);
  }
  expect(bestMs).toBeLessThan(5);
}

function quote(word: string): string {
  if (/^[\w.:+/=-]+$/.test(word)) return word;
  return word.includes("'") ? `"${word.replace(/["\\]/g, '\\$&')}"` : `'${word}'`;
}
