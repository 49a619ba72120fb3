import { expect, test } from '@jest/globals';
import { tableProblems } from '../../bench/write-tables.ts';

test('the tables in the documents are what bench/results.json says', async () => {
  expect(await tableProblems()).toEqual([]);
});
