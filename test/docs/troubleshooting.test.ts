import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readPage } from '../support/pages.ts';

/** What the programs are made of, with the texts that stand in several pieces put together. */
const code = globSync(['src/**/*.ts', 'worker/**/*.ts', 'cli/**/*.ts'], {
  exclude: ['src/generated/**'],
})
  .map((file) => readFileSync(file, 'utf8').replace(/['`] \+\s+['`]/g, ''))
  .join('\n');

/** What a row has between quotes, which ends with a full stop or a colon: a message may hold quotes itself. */
function saidIn(row: string): string[] {
  return row
    .replace(/`[^`]*`/g, '')
    .split(/(?<!\\)\|/)
    .flatMap((cell) => [...cell.matchAll(/"(.+[.:])"/g)].map(([, said = '']) => said));
}

test('what the page says that dctl says is what the code has', () => {
  const rows = readPage('docs/troubleshooting.md')
    .split('\n')
    .filter((line) => line.startsWith('| '));
  const said = rows.flatMap(saidIn);
  expect(said.length).toBeGreaterThan(20);
  const unknown = said.filter((sentence) =>
    sentence
      .split('...')
      .map((part) => part.trim())
      .some((part) => !code.includes(part) && !code.includes(part.replaceAll("'", "\\'"))),
  );
  expect(unknown).toEqual([]);
});
