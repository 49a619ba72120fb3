import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { demultiplex } from '../../worker/executors/docker-stream.ts';

const frames = fc.array(
  fc.record({ source: fc.constantFrom(1, 2), content: fc.uint8Array({ maxLength: 300 }) }),
  { maxLength: 20 },
);
const cuts = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 20 });

test('what either stream holds is the same however the bytes arrive', async () => {
  await fc.assert(
    fc.asyncProperty(frames, cuts, async (written, sizes) => {
      const bytes = Buffer.concat(written.map(frame));
      const read = await collect(demultiplex(arriving(bytes, sizes)));
      expect(read).toEqual(joined(written.map(({ source, content }) => [source, Buffer.from(content)])));
    }),
    { numRuns: 300 },
  );
});

test('a frame is handed on before all of it has come', async () => {
  const bytes = frame({ source: 1, content: Buffer.from('a long line') });
  const pieces = demultiplex(arriving(bytes.subarray(0, 12), [12]))[Symbol.asyncIterator]();
  expect(await pieces.next()).toEqual({
    done: false,
    value: { stream: 'log', content: Buffer.from('a lo') },
  });
});

test('a stream that breaks off within a header ends without a piece of it', async () => {
  const bytes = frame({ source: 2, content: Buffer.from('{}\n') });
  const cutOff = Buffer.concat([bytes, bytes.subarray(0, 5)]);
  expect(await collect(demultiplex(arriving(cutOff, [4])))).toEqual([['protocol', '{}\n']]);
});

test('no more is taken from the stream than was asked for', async () => {
  let taken = 0;
  const source = async function* () {
    for (; ; taken += 1) yield frame({ source: 1, content: Buffer.alloc(1_000) });
  };
  const pieces = demultiplex(source())[Symbol.asyncIterator]();
  for (let asked = 0; asked < 3; asked += 1) await pieces.next();
  expect(taken).toBeLessThanOrEqual(3);
  await pieces.return?.();
});

function frame({ source, content }: { source: number; content: Uint8Array }): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(source, 0);
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
}

async function* arriving(bytes: Buffer, sizes: number[]): AsyncGenerator<Buffer> {
  for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
    const end = start + sizes[turn % sizes.length]!;
    yield bytes.subarray(start, end);
    start = end;
  }
}

/** The streams with neighbouring pieces of the same one joined. */
async function collect(pieces: ReturnType<typeof demultiplex>): Promise<[string, string][]> {
  const all: [number, Buffer][] = [];
  for await (const { stream, content } of pieces) all.push([stream === 'protocol' ? 2 : 1, content]);
  return joined(all);
}

function joined(pieces: [number, Buffer][]): [string, string][] {
  const result: [string, string][] = [];
  for (const [source, content] of pieces) {
    if (content.length === 0) continue;
    const stream = source === 2 ? 'protocol' : 'log';
    const last = result.at(-1);
    if (last?.[0] === stream) last[1] += content.toString('latin1');
    else result.push([stream, content.toString('latin1')]);
  }
  return result;
}
