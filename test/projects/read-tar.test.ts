import { buffer } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../src/errors.ts';
import { readTar } from '../../src/projects/read-tar.ts';
import { tarOf } from '../support/archive.ts';
import { paxRecord, rawTar, type RawEntry } from '../support/raw-tar.ts';

/** Everything an archive holds, read from pieces of the given length. */
async function readAll(tar: Buffer, pieceBytes: number) {
  async function* pieces() {
    for (let at = 0; at < tar.length; at += pieceBytes) yield tar.subarray(at, at + pieceBytes);
  }
  const found: {
    kind: string;
    path: string;
    sizeBytes: number;
    isExecutable: boolean;
    text: string | null;
  }[] = [];
  for await (const { content, ...entry } of readTar(pieces())) {
    // Every third content is left unread.
    const text = found.length % 3 === 2 ? null : (await buffer(content)).toString('latin1');
    found.push({ ...entry, text });
  }
  return found;
}

const anyEntry = fc.record({
  name: fc.string({ unit: 'binary', minLength: 1, maxLength: 150 }).map((text) => text.replaceAll('\0', 'n')),
  content: fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
});

test('what was packed is what is read, in pieces of whatever length', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEntry, { maxLength: 6 }),
      fc.integer({ min: 1, max: 3_000 }),
      async (entries, pieceBytes) => {
        const found = await readAll(await tarOf(entries), pieceBytes);
        expect(found.map(({ path }) => path)).toEqual(entries.map(({ name }) => name));
        found.forEach(({ kind, sizeBytes, text }, index) => {
          const { name, content } = entries[index]!;
          expect({ kind, sizeBytes }).toEqual({
            kind: name.endsWith('/') && Buffer.byteLength(name) <= 100 ? expect.any(String) : 'file',
            sizeBytes: content.length,
          });
          if (text !== null) expect(text).toBe(content.toString('latin1'));
        });
      },
    ),
    { numRuns: 100 },
  );
});

const anyHeader: fc.Arbitrary<RawEntry> = fc.record(
  {
    name: fc.oneof(
      fc.constantFrom('models/one.sql', 'models/', ''),
      fc.string({ unit: 'binary', maxLength: 100 }),
    ),
    type: fc.constantFrom(...'000567xxggLKSDZ\0'),
    content: fc.oneof(
      fc.string({ maxLength: 700 }),
      fc
        .tuple(
          fc.constantFrom('path', 'size', 'mtime', 'GNU.sparse.name', '=', ''),
          fc.string({ maxLength: 40 }),
        )
        .map(([key, value]) => paxRecord(key, value)),
      fc.string({ maxLength: 20 }).map((text) => `${text.length} path=${text}\n`),
    ),
    size: fc.oneof(
      fc.integer({ min: 0, max: 2_000 }),
      fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
    ),
  },
  { requiredKeys: ['name', 'type', 'content'] },
);

test('whatever the headers say, an archive is read or refused, and the same in whatever pieces it comes', async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyHeader, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 1_500 }),
      fc.option(fc.nat(5_000)),
      async (entries, pieceBytes, end) => {
        const tar = rawTar(entries).subarray(0, end ?? undefined);
        const [inPieces, asOne] = await Promise.all([
          readOrRefused(tar, pieceBytes),
          readOrRefused(tar, 2 ** 20),
        ]);
        expect(inPieces).toEqual(asOne);
        if (Array.isArray(asOne)) read += 1;
      },
    ),
    { numRuns: 1_000 },
  );
  expect(read).toBeGreaterThan(20);
});

async function readOrRefused(tar: Buffer, pieceBytes: number): Promise<unknown> {
  try {
    return await readAll(tar, pieceBytes);
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}
