import { expect, test } from '@jest/globals';
import { LastWords } from '../../worker/last-words.ts';

const cancelled = '12:00:04  CANCEL query model.shop.orders ........... [CANCEL]';
const interrupted = '12:00:04  Exited because of keyboard interrupt';

test('of what comes after the interrupt, what dbt says of it is kept, however the text is cut', () => {
  const words = new LastWords();
  words.write(Buffer.from('12:00:01  CANCEL query of before\n'));
  words.listen();
  const text = [
    '12:00:03  1 of 2 OK created sql table model shop.cancelling_customers [OK in 0.1s]',
    'a model prints ✓',
    cancelled,
    '12:00:04  The duckdb adapter does not support query cancellation. Some queries may still be running!',
    interrupted,
  ].join('\n');
  for (const byte of Buffer.from(text)) words.write(Buffer.from([byte]));
  words.end();
  expect(words.lines).toEqual([cancelled, expect.stringContaining('still be running'), interrupted]);
});

test('twenty lines of five hundred characters are kept at most', () => {
  const words = new LastWords();
  words.listen();
  words.write(Buffer.from(`CANCEL ${'x'.repeat(9_000)}\n`.repeat(50)));
  expect(words.lines).toHaveLength(20);
  expect(words.lines[0]).toHaveLength(500);
});
