import { describe, expect, test } from '@jest/globals';
import { inBatches, shared } from '../../src/batches.ts';

/** Calls that stay under way until they are ended by hand, in the order they were made. */
function openCalls<Item>() {
  const calls: { items: Item[]; end(answers: string[]): void; fail(error: Error): void }[] = [];
  const work = (items: Item[]) =>
    new Promise<string[]>((resolve, reject) => calls.push({ items, end: resolve, fail: reject }));
  const begun = async (count: number) => {
    while (calls.length < count) await new Promise((resolve) => setImmediate(resolve));
    return calls[count - 1]!;
  };
  return { calls, work, begun };
}

describe('what is asked for while a call is under way', () => {
  test('is answered together by a call that begins later, each in its place', async () => {
    const { calls, work, begun } = openCalls<string>();
    const ask = inBatches(work);
    const first = ask('key', 'a');
    const call = await begun(1);
    const later = [ask('key', 'b'), ask('key', 'c'), ask('key', 'd')];
    expect(calls.map(({ items }) => items)).toEqual([['a']]);
    call.end(['A']);
    expect(await first).toBe('A');
    (await begun(2)).end(['B', 'C', 'D']);
    expect(await Promise.all(later)).toEqual(['B', 'C', 'D']);
    expect(calls.map(({ items }) => items)).toEqual([['a'], ['b', 'c', 'd']]);
  });

  test('does not wait for a call with another key', async () => {
    const { work, begun } = openCalls<string>();
    const ask = inBatches(work);
    void ask('one', 'a');
    await begun(1);
    const other = ask('other', 'b');
    (await begun(2)).end(['B']);
    expect(await other).toBe('B');
  });

  test('does not fail with that call', async () => {
    const { work, begun } = openCalls<string>();
    const ask = inBatches(work);
    const [first, second] = [ask('key', 'a'), ask('key', 'b')];
    (await begun(1)).fail(new Error('this once'));
    const later = ask('key', 'c');
    await expect(first).rejects.toThrow('this once');
    await expect(second).rejects.toThrow('this once');
    (await begun(2)).end(['C']);
    expect(await later).toBe('C');
  });

  test('is not held up for long by a call that comes to no end', async () => {
    const { work, begun } = openCalls<string>();
    const ask = inBatches(work);
    const stuck = ask('key', 'a');
    const call = await begun(1);
    const later = ask('key', 'b');
    (await begun(2)).end(['B']);
    expect(await later).toBe('B');
    call.end(['A']);
    expect(await stuck).toBe('A');
  });
});

test('a shared look-up is never older than the question: what changed before is seen by whoever asks after', async () => {
  let version = 0;
  let looks = 0;
  const look = shared(async () => {
    looks += 1;
    const seen = version;
    await new Promise((resolve) => setTimeout(resolve, 1));
    return seen;
  });
  const asked: Promise<void>[] = [];
  for (let round = 0; round < 200; round += 1) {
    version += 1;
    const atLeast = version;
    for (let asker = 0; asker < 5; asker += 1)
      asked.push(look('key', undefined).then((seen) => expect(seen).toBeGreaterThanOrEqual(atLeast)));
    if (round % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(asked);
  expect(looks).toBeLessThan(asked.length / 2);
});
