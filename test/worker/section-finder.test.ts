import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SectionFinder } from '../../worker/section-finder.ts';

const headers = ['[dctl] step 2 of 3: dbt run --select größe', '[dctl] step 3 of 3: dbt test'];

describe('the parts of a log begin at the same places however its bytes are cut', () => {
  const first = 'a\n[dctl] step 2 of 3: dbt\n\n';
  const second = `${headers[0]}\nb ${headers[1]}\n`;
  const log = Buffer.from(`${first}${second}${headers[1]}\nc\n`);
  const [afterFirst, afterSecond] = [Buffer.byteLength(first), Buffer.byteLength(first + second)];
  const places = [
    { step: 2, from: afterFirst, end: afterFirst + Buffer.byteLength(headers[0]!) + 1 },
    { step: 3, from: afterSecond, end: afterSecond + Buffer.byteLength(headers[1]!) + 1 },
  ];

  test('in one piece', () => {
    expect(new SectionFinder(headers).write(log)).toEqual(places);
  });

  test('in pieces of any size', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
        const finder = new SectionFinder(headers);
        const found = [];
        for (let start = 0, turn = 0; start < log.length; turn += 1) {
          const end = start + sizes[turn % sizes.length]!;
          found.push(...finder.write(log.subarray(start, end)));
          start = end;
        }
        expect(found).toEqual(places);
      }),
    );
  });
});

test.each([
  ['the header of a later step', `${headers[1]}\n`],
  ['a header within a line', `x${headers[0]}\n`],
  ['a header with more behind it', `${headers[0]}!\n`],
  ['a header cut short', `${headers[0]!.slice(0, -1)}\n`],
  ['a header whose line has not ended', headers[0]!],
])('%s is no beginning', (_what, log) => {
  expect(new SectionFinder(headers).write(Buffer.from(log))).toEqual([]);
});

test('a header that comes again stays what it is: a line of the part that has begun', () => {
  expect(new SectionFinder(headers).write(Buffer.from(`${headers[0]}\n${headers[0]}\n`))).toHaveLength(1);
});
