import { describe, expect, test } from '@jest/globals';
import { conditions, fieldAt, judge, whyNot, type Operation } from '../../src/conditions.ts';

const nothing = Symbol('nothing');

/** What is there, the operation, what it is compared with, and whether it holds. */
const table: [actual: unknown, operation: Operation, value: unknown, holds: boolean][] = [
  // Numbers, whether they came as such or as texts.
  [1547, 'EQUAL', '1547', true],
  ['1547', 'EQUAL', 1547, true],
  ['1547.0', 'EQUAL', 1547, true],
  [0, 'EQUAL', '', false],
  [0, 'EQUAL', null, false],
  [1, 'NOT_EQUAL', '1', false],
  [1, 'NOT_EQUAL', 2, true],
  ['10', 'GREATER_THAN', '9', true],
  [10, 'GREATER_THAN', '10', false],
  [10, 'GREATER_THAN_OR_EQUAL', '10', true],
  ['-1', 'LESS_THAN', '0', true],
  ['1e3', 'LESS_THAN', 999, false],
  [9.5, 'LESS_THAN_OR_EQUAL', '9.50', true],
  ['9007199254740993', 'GREATER_THAN', '9007199254740992', true],
  ['9007199254740993', 'EQUAL', '9007199254740992', false],
  [1547, 'CONTAINS', '54', true],
  [1547, 'CONTAINS', 8, false],
  [3, 'IN', '1, 2, 3', true],
  ['3', 'IN', [1, 2, 3], true],
  [4, 'IN', '1,2,3', false],
  // A number and a text that is none cannot be put in order.
  ['many', 'GREATER_THAN', '0', false],
  ['many', 'LESS_THAN', '0', false],
  ['many', 'NOT_EQUAL', '0', true],
  ['0x10', 'EQUAL', 16, false],
  ['Infinity', 'GREATER_THAN', 1, false],
  ['', 'GREATER_THAN', 0, false],
  ['', 'LESS_THAN', 1, false],
  // Texts.
  ['FINISHED', 'EQUAL', 'FINISHED', true],
  ['FINISHED', 'EQUAL', 'finished', false],
  ['FINISHED', 'NOT_EQUAL', 'FAILED', true],
  ['FINISHED', 'CONTAINS', 'NISH', true],
  ['FINISHED', 'CONTAINS', 'nish', false],
  ['', 'EQUAL', '', true],
  ['', 'CONTAINS', '', true],
  ['PARTIAL', 'IN', 'FAILED, PARTIAL', true],
  ['PARTIAL', 'IN', ['FAILED', 'PARTIAL'], true],
  ['PART', 'IN', 'FAILED,PARTIAL', false],
  ['2026-04-02T12:00:00Z', 'GREATER_THAN', '2026-04-01T23:59:59Z', true],
  ['b', 'LESS_THAN_OR_EQUAL', 'a', false],
  // Booleans.
  [false, 'EQUAL', 'false', true],
  [false, 'EQUAL', 'False', true],
  ['false', 'EQUAL', false, true],
  [false, 'EQUAL', 0, false],
  [true, 'EQUAL', 1, false],
  [true, 'NOT_EQUAL', 'false', true],
  [true, 'GREATER_THAN', false, false],
  [true, 'GREATER_THAN_OR_EQUAL', true, false],
  [true, 'LESS_THAN', 2, false],
  [true, 'LESS_THAN_OR_EQUAL', true, false],
  [true, 'CONTAINS', 'ru', true],
  [true, 'IN', 'true,false', true],
  // Null is itself alone.
  [null, 'EQUAL', null, true],
  [null, 'EQUAL', 'null', false],
  [null, 'EQUAL', '', false],
  [null, 'EQUAL', 0, false],
  [null, 'EQUAL', false, false],
  [null, 'NOT_EQUAL', null, false],
  [null, 'NOT_EQUAL', 'x', true],
  [null, 'GREATER_THAN', -1, false],
  [null, 'GREATER_THAN_OR_EQUAL', null, false],
  [null, 'LESS_THAN', 1, false],
  [null, 'LESS_THAN_OR_EQUAL', null, false],
  [null, 'CONTAINS', 'null', false],
  [null, 'IN', [null], true],
  [null, 'IN', 'null', false],
  // Lists and objects.
  [['a', 'b'], 'CONTAINS', 'b', true],
  [['1', 2], 'CONTAINS', '2', true],
  [['ab'], 'CONTAINS', 'a', false],
  [['a'], 'EQUAL', 'a', false],
  [['a'], 'IN', ['a'], false],
  [{}, 'EQUAL', '[object Object]', false],
  [{}, 'CONTAINS', 'object', false],
  [{}, 'NOT_EQUAL', 'x', true],
  [{}, 'GREATER_THAN', 'a', false],
  ['a', 'EQUAL', ['a'], false],
  ['a', 'CONTAINS', ['a'], false],
  // Of what is not there nothing holds.
  ...(
    [
      ['EQUAL', null],
      ['NOT_EQUAL', 'x'],
      ['GREATER_THAN', -1],
      ['GREATER_THAN_OR_EQUAL', -1],
      ['LESS_THAN', 1],
      ['LESS_THAN_OR_EQUAL', 1],
      ['CONTAINS', ''],
      ['IN', ['undefined', null]],
    ] as const
  ).map(([operation, value]): (typeof table)[number] => [nothing, operation, value, false]),
];

test.each(table)('%p %s %p: %p', (actual, operation, value, holds) => {
  const asked = conditions.parse([{ variable_name: 'X', operation, value }]);
  const judged = judge(asked, () => (actual === nothing ? undefined : actual));
  expect(judged.holds).toBe(holds);
  expect(judged.conditions[0]).toEqual({
    ...asked[0],
    holds,
    ...(actual === nothing ? {} : { actual }),
  });
  expect(whyNot(judged.conditions) === null).toBe(holds);
});

describe('conditions', () => {
  test('hold when there are none, and only all together', () => {
    const of = (...values: number[]) =>
      values.map((value) => ({ variable_name: 'ROWS', operation: 'GREATER_THAN' as const, value }));
    expect(judge([], () => undefined)).toEqual({ holds: true, conditions: [] });
    expect(judge(of(1, 2), () => 3).holds).toBe(true);
    const judged = judge(of(1, 5, 9), () => 3);
    expect(judged.conditions.map(({ holds }) => holds)).toEqual([true, false, false]);
    expect(whyNot(judged.conditions)).toBe('ROWS is 3, so ROWS GREATER_THAN 5 does not hold.');
  });

  test('say of what is not there that it is not there', () => {
    const asked = [{ variable_name: 'CAUSE', operation: 'NOT_EQUAL' as const, value: 'x' }];
    const sentence = 'There is no CAUSE, so CAUSE NOT_EQUAL "x" does not hold.';
    expect(whyNot(judge(asked, () => undefined).conditions)).toBe(sentence);
  });

  test.each([
    [{ variable_name: '', operation: 'EQUAL', value: 1 }, 'variable_name'],
    [{ variable_name: 'X', operation: 'equal', value: 1 }, 'operation'],
    [{ variable_name: 'X', operation: 'MATCHES', value: '.*' }, 'operation'],
    [{ variable_name: 'X', operation: 'EQUAL', value: {} }, 'value'],
    [{ variable_name: 'X', operation: 'EQUAL' }, 'value'],
  ])('%p is refused at its %s', (given, field) => {
    const parsed = conditions.safeParse([given]);
    expect(parsed.error?.issues.map(({ path }) => path)).toEqual([[0, field]]);
  });

  test('look at what the JSON itself brought alone', () => {
    const data = JSON.parse('{"a": {"b": [{"c": 1}]}, "d": "text", "length": 3, "__proto__": {"e": 2}}');
    expect(fieldAt(data, 'a.b.0.c')).toBe(1);
    expect(fieldAt(data, 'length')).toBe(3);
    expect(fieldAt(data, '__proto__.e')).toBe(2);
    for (const path of ['a.x', 'a.b.1', 'a.b.length', 'd.length', 'constructor', 'a.toString', 'd.0', ''])
      expect({ path, found: fieldAt(data, path) }).toEqual({ path, found: undefined });
  });

  test('of a long text are judged in time that grows with it', () => {
    const digits = '1'.repeat(40_000);
    const before = performance.now();
    for (const actual of [`${digits}x`, `${digits}.${digits}`, `${' '.repeat(40_000)}1`])
      for (const operation of ['EQUAL', 'GREATER_THAN', 'IN'] as const)
        judge([{ variable_name: 'table', operation, value: 'orders' }], () => actual);
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  test('give their reason in whole characters, however long a value is', () => {
    const asked = [{ variable_name: 'table', operation: 'EQUAL' as const, value: 'orders' }];
    for (const actual of ['😀'.repeat(200), `x${'😀'.repeat(200)}`])
      expect(whyNot(judge(asked, () => actual).conditions)?.isWellFormed()).toBe(true);
  });
});
