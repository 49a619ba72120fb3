import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCommand } from '../../src/commands/parse-command.ts';
import { pointer } from './cases.ts';
import { plainSqlmeshCommands, quotedSqlmeshCommands, refusedSqlmeshCommands } from './sqlmesh-cases.ts';

const accepted: Array<[text: string, argv: string[]]> = [
  ...plainSqlmeshCommands.map((text): [string, string[]] => [text, text.split(' ').slice(1)]),
  ...quotedSqlmeshCommands,
];
const pieces = [
  ...'plan |run |test |--auto-apply |--select-model |--gateway |-k |-s |a.b |tag:x |git:|--|-|..|::'.split(
    '|',
  ),
  ...`'" ^()+*=$#/\\\uff1b🙂`,
];
const anyCommand = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'grapheme', maxLength: 4 })), {
    maxLength: 40,
  })
  .map((parts) => `sqlmesh ${parts.join('')}`);

test.each(accepted)('a command that may run reaches SQLMesh word by word: %s', (text, argv) => {
  expect(parseCommand(text, 'sqlmesh')).toMatchObject({ accepted: true, command: text.trim(), argv });
  expect(parseCommand(text, 'dbt')).toMatchObject({
    accepted: false,
    detail: expect.stringContaining('runs no sqlmesh commands'),
  });
});

describe.each(Object.entries(refusedSqlmeshCommands))('%s', (_rule, cases) => {
  const named = cases.map(([text, detail]) => ({ name: JSON.stringify(text), text, detail }));
  test.each(named)('refused: $name', ({ text, detail }) => {
    const verdict = parseCommand(text.replace(pointer, ''), 'sqlmesh');
    const position = text.indexOf(pointer);
    expect(verdict).toEqual({ accepted: false, position, detail: expect.stringMatching(detail) });
    expectPlainRefusal(text.replace(pointer, ''));
  });
});

test('any other text is accepted or refused in one plain sentence, within 5 ms', () => {
  fc.assert(fc.property(anyCommand, expectPlainRefusal), { numRuns: 2000 });
  for (const piece of pieces) expectQuick(`sqlmesh run ${piece.repeat(Math.floor(8000 / piece.length))}`);
});

test('a blocked character is refused wherever it stands', () => {
  const blocked = [...';&|`<>\n\r\0\u00a0\u200b\u2028\uff1b\u201c', '$(', '${', '$x'];
  const spoiled = accepted.flatMap(([text]) =>
    blocked.flatMap((inserted) =>
      Array.from({ length: text.length + 1 }, (_, at) => text.slice(0, at) + inserted + text.slice(at)),
    ),
  );
  expect(spoiled.filter((text) => parseCommand(text, 'sqlmesh').accepted)).toEqual([]);
});

function expectPlainRefusal(text: string): void {
  const verdict = parseCommand(text, 'sqlmesh');
  if (verdict.accepted) return;
  expect(verdict.detail).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]+[.?]$/u);
  expect(verdict.detail).not.toMatch(/[.?] \p{Lu}/u);
  expect(verdict.detail.length).toBeLessThan(300);
  expect(verdict.position).toBeGreaterThanOrEqual(0);
  expect(verdict.position).toBeLessThanOrEqual(text.length);
}

/** The best of a few attempts counts: on a busy machine, one can be slow through no fault of the check. */
function expectQuick(text: string): void {
  let bestMs = Infinity;
  for (let attempt = 0; attempt < 8 && bestMs >= 5; attempt++) {
    const begin = performance.now();
    parseCommand(text, 'sqlmesh');
    bestMs = Math.min(bestMs, performance.now() - begin);
  }
  expect(bestMs).toBeLessThan(5);
}
