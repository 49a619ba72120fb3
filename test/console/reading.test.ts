import { expect, test } from '@jest/globals';
import { piecesOf, plainText } from '../../console/src/run/ansi.ts';
import { sqlFilesOf } from '../../console/src/run/compiled-files.ts';
import { placeInLayers } from '../../console/src/run/layered-layout.ts';
import { isContinued, levelOf } from '../../console/src/run/log-level.ts';
import { nameOf } from '../../console/src/run/node-status.ts';

test('the colours of a terminal become looks, and all else that only a terminal can do is left out', () => {
  expect(piecesOf('a \u001b[31;1mred\u001b[0m b \u001b[38;5;200mc\u001b[39m')).toEqual([
    { text: 'a ', looks: '' },
    { text: 'red', looks: 'ansi-red ansi-bold' },
    { text: ' b ', looks: '' },
    { text: 'c', looks: '' },
  ]);
  expect(plainText('\u001b[2K\u001b]0;title\u0007a\u001b[1;32mb\u001b[0m\u001b')).toBe('ab\u001b');
});

test.each([
  ['12:00:01  1 of 3 OK created sql table model main.orders', 'info'],
  ['12:00:01  1 of 3 \u001b[31mERROR\u001b[0m creating sql table model main.orders', 'error'],
  ['12:00:01  2 of 3 WARN 1 not_null_orders_id', 'warn'],
  ['12:00:01  Done. PASS=1 WARN=0 ERROR=0 SKIP=0 TOTAL=1', 'info'],
  ['12:00:01  Database Error in model orders (models/orders.sql)', 'error'],
  ['{"info": {"level": "error", "msg": "x"}}', 'error'],
  ['{"info": {"level": "info", "msg": "an ERROR of old"}}', 'info'],
  ['12:00:01  1 of 1 START sql view model main.error_log', 'info'],
  ['12:00:01  Encountered an error:', 'error'],
  ["12:00:01  The selection criterion 'nothing' does not match any enabled nodes", 'warn'],
  ['12:00:01  Nothing to do. Try checking your model configs and model specification args', 'warn'],
])('%s is told as %s', (line, level) => {
  expect(levelOf(line, plainText(line), 'info')).toBe(level);
});

test('what stands indented below an error, or without a time, belongs to it', () => {
  expect(levelOf('12:00:01    no such column', '12:00:01    no such column', 'error')).toBe('error');
  expect(levelOf('LINE 1: select', 'LINE 1: select', 'error')).toBe('error');
  expect(levelOf('12:00:01  2 of 3 START', '12:00:01  2 of 3 START', 'error')).toBe('info');
  expect(isContinued('')).toBe(false);
});

test('the compiled file of a node is found by what dbt calls it', () => {
  const artifacts = [
    'run/shop/models/orders.sql',
    'compiled/shop/models/orders.sql',
    'compiled/shop/models/orders.yml/orders.sql',
    'compiled/shop/models/orders.yml/unique_orders_id.sql',
    'compiled/shop/models/orders.yml/accepted_values_orders_61c301dfb48bfb4177568020750cee70.sql',
    'compiled/shop/models/prices_v2.sql',
    'manifest.json',
  ].map((path) => ({ path, size_bytes: 1, step: 1 }));
  const filesOf = (id: string) =>
    sqlFilesOf({ unique_id: id, step: 1 }, artifacts).map(({ path }) => path.replace(/^.*\//, ''));
  expect(sqlFilesOf({ unique_id: 'model.shop.orders', step: 1 }, artifacts).map(({ path }) => path)).toEqual([
    'compiled/shop/models/orders.sql',
    'run/shop/models/orders.sql',
  ]);
  expect(filesOf('test.shop.unique_orders_id.fed79b3a6e')).toEqual(['unique_orders_id.sql']);
  expect(filesOf('test.shop.accepted_values_orders_status__a__b.fed79b3a6e')).toEqual([]);
  expect(filesOf('model.shop.prices.v2')).toEqual(['prices_v2.sql']);
  expect(filesOf('model.shop.customers')).toEqual([]);
  expect(nameOf('test.shop.unique_orders_id.fed79b3a6e')).toBe('unique_orders_id');
});

test('each node stands to the right of what it comes of, and none upon another, even in a circle', () => {
  const edges: [number, number][] = [
    [0, 1],
    [1, 2],
    [0, 2],
    [3, 2],
    [4, 5],
    [5, 4],
  ];
  const { x, y } = placeInLayers(6, edges, { columnWidth: 100, rowHeight: 10 });
  for (const [from, to] of edges.slice(0, 4)) expect(x[to]).toBeGreaterThan(x[from]!);
  expect(x[3]).toBe(100);
  for (const a of x.keys())
    for (const b of x.keys())
      if (a < b && x[a] === x[b]) expect(Math.abs(y[a]! - y[b]!)).toBeGreaterThanOrEqual(9.99);
});
