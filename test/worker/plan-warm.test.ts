import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planWarm, type Candidate, type Waiting, type WarmLimits } from '../../worker/plan-warm.ts';

const limits: WarmLimits = { memoryBytes: 400, maxAgeMs: 1_000, minAgeMs: 50 };

describe('which containers wait', () => {
  test.each<[string, { jobs: string; there: string; make: string | null; drop: string }]>([
    ['nothing where nobody is likely', { jobs: '', there: '', make: null, drop: '' }],
    ['the likeliest is served first', { jobs: 'a b', there: '', make: 'a', drop: '' }],
    ['one for each comes before a second for any', { jobs: 'a2 b', there: 'a', make: 'b', drop: '' }],
    ['a second for one that may use it', { jobs: 'a2 b', there: 'a b', make: 'a', drop: '' }],
    ['no more than may be used', { jobs: 'a b', there: 'a b', make: null, drop: '' }],
    ['what nobody needs goes', { jobs: 'a', there: 'a x', make: null, drop: 'x unneeded' }],
    ['what is too old goes, and is made anew', { jobs: 'a', there: 'a@2000', make: 'a', drop: 'a age' }],
    ['one too many stays while there is room', { jobs: 'a', there: 'a a', make: null, drop: '' }],
    [
      'the likelier takes the place of the least likely',
      { jobs: 'n a b c d', there: 'a b c d', make: 'n', drop: 'd room' },
    ],
    [
      'one too many goes before another kind does',
      { jobs: 'n a b', there: 'a a b b', make: 'n', drop: 'b room' },
    ],
    [
      'what was just made stays for a while',
      { jobs: 'n a b c d', there: 'a b c d@10', make: 'n', drop: 'c room' },
    ],
    ['measured memory counts', { jobs: 'a b c', there: 'a=250 b=150', make: null, drop: '' }],
    [
      'what is expected to take too much is not made',
      { jobs: 'a=250 b=200', there: 'a=250', make: null, drop: '' },
    ],
    ['what can not be made now leaves its place to others', { jobs: 'a0 b', there: '', make: 'b', drop: '' }],
    ['what can not be made now keeps what it has', { jobs: 'a0 b', there: 'a b', make: null, drop: '' }],
    ['more than the memory goes', { jobs: 'a b', there: 'a=250 b=200', make: null, drop: 'b room' }],
  ])('%s', (_what, { jobs, there, make, drop }) => {
    const plan = planWarm(candidates(jobs), waiting(there), limits);
    expect(plan.make).toBe(make);
    expect(plan.drop.map(({ container, reason }) => `${container.key} ${reason}`).join()).toBe(drop);
  });

  test('without memory nothing is made and nothing stays', () => {
    const plan = planWarm(candidates('a b'), waiting('a'), { ...limits, memoryBytes: 0 });
    expect(plan).toMatchObject({ make: null, drop: [{ reason: 'room' }] });
  });

  test('whatever there is, all that waits in the end has room, and is what somebody is likely to use', () => {
    const keys = ['a', 'b', 'c', 'd', 'x'];
    const sizes = fc.tuple(...keys.map(() => fc.integer({ min: 20, max: 300 })));
    const wanted = fc.uniqueArray(
      fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), wanted: fc.integer({ min: 1, max: 4 }) }),
      { selector: ({ key }) => key },
    );
    const waits = fc.record({ key: fc.constantFrom(...keys), ageMs: fc.integer({ min: 50, max: 2_000 }) });
    fc.assert(
      fc.property(sizes, wanted, fc.array(waits, { maxLength: 8 }), (bytesOf, jobs, there) => {
        const sized = <Each extends { key: string }>(each: Each) => ({
          ...each,
          memoryBytes: bytesOf[keys.indexOf(each.key)]!,
        });
        const [likely, present] = [jobs.map(sized), there.map(sized)];
        const { drop, make } = planWarm(likely, present, limits);
        const kept = present.filter((each) => !drop.some(({ container }) => container === each));
        expect(drop).toHaveLength(present.length - kept.length);
        const made = likely.filter((each) => each.key === make);
        const bytes = [...kept, ...made].reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
        expect(bytes).toBeLessThanOrEqual(limits.memoryBytes);
        for (const each of kept) {
          expect(each.ageMs).toBeLessThanOrEqual(limits.maxAgeMs);
          expect(likely.map((candidate) => candidate.key)).toContain(each.key);
        }
        // The next look agrees.
        expect(planWarm(likely, kept, limits).drop).toEqual([]);
      }),
    );
  });
});

/** Likeliest first: 'a2=250' may use two, of 250 bytes each. */
function candidates(text: string): Candidate[] {
  return words(text).map((word) => {
    const [, key, wanted, memoryBytes] = /^(\w)(\d*)(?:=(\d+))?$/.exec(word)!;
    return { key: key!, wanted: Number(wanted === '' ? 1 : wanted), memoryBytes: Number(memoryBytes ?? 100) };
  });
}

/** 'a=250@10': one of a that takes 250 bytes and is 10 ms old. */
function waiting(text: string): Waiting[] {
  return words(text).map((word) => {
    const [, key, memoryBytes, ageMs] = /^(\w)(?:=(\d+))?(?:@(\d+))?$/.exec(word)!;
    return { key: key!, memoryBytes: Number(memoryBytes ?? 100), ageMs: Number(ageMs ?? 500) };
  });
}

function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}
