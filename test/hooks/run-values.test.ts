import { expect, test } from '@jest/globals';
import { runText, type RunFacts } from '../../src/hooks/run-values.ts';

const namesOf = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) => `model.shop.${index}`.padEnd(length, 'x'));

test('FAILED_NODES names at most 50 nodes, and fits into what a trigger takes as metadata', () => {
  const told = (nodesFailed: number, failedNodes: string[]) =>
    runText({ nodesFailed, failedNodes } as RunFacts, 'FAILED_NODES');
  expect(told(2, ['model.shop.a', 'model.shop.b'])).toBe('model.shop.a, model.shop.b');
  expect(told(60, namesOf(50, 13))).toMatch(/^(model\.shop\.\d+x*, ){50}and 10 more$/);
  const long = told(60, namesOf(50, 100));
  expect(long).toMatch(/^(model\.shop\.\d+x+, )+and \d+ more$/);
  expect(long.length).toBeLessThanOrEqual(2_000);
});
