import { describe, expect, test } from '@jest/globals';
import type { Output } from '../../worker/executors/executor.ts';
import { createMask, type Mask } from '../../worker/masking.ts';
import { missingMark, resumeOutput } from '../../worker/resume-log.ts';

const noMask = createMask([]);
const lines = (from: number, to: number, text = 'line') =>
  Array.from({ length: to - from }, (_, place) => `${text} ${from + place} ✓\n`).join('');

describe('what comes behind a stored log is let through, and nothing before it, when the engine', () => {
  const whole = lines(0, 2_000);

  test.each([1, 7, 4_096, 100_000])('has kept all of it, in pieces of %d bytes', async (pieceBytes) => {
    for (const bytes of [0, 1, 7, 8, 9, 10, 11, 20_000, 20_001, 20_002, 20_003]) {
      const stored = Buffer.from(whole).subarray(0, bytes);
      if (stored.toString().includes('\ufffd')) continue;
      const { log } = await resume({ stored, kept: whole, pieceBytes });
      expect(stored.toString() + log).toBe(whole);
    }
  });

  test('has made U+FFFD of what was not UTF-8, at the place where the stored log ends too', async () => {
    const raw = Buffer.from('plain\nbroken: \xff\xfe\x80 after\nthen ü\xe2\x9c\nend\n', 'latin1');
    const kept = keptByEngine(raw);
    for (let bytes = 0; bytes <= raw.length; bytes += 1) {
      const { log } = await resume({ stored: raw.subarray(0, bytes), kept, pieceBytes: 3 });
      // What is stored comes once, as whatever; what comes behind it as the engine has it.
      expect(`${keptByEngine(raw.subarray(0, bytes))}${log}`).toBe(kept.toString());
    }
  });

  test('has cut a character where it cuts long lines', async () => {
    const line = `${'x'.repeat(16 * 1024 - 1)}✓ and on\n`;
    const kept = `${'x'.repeat(16 * 1024 - 1)}\ufffd\ufffd\ufffd and on\n`;
    const { log } = await resume({
      stored: Buffer.from(lines(0, 9) + line),
      kept: lines(0, 9) + kept + 'next\n',
    });
    expect(log).toBe('next\n');
  });

  test('holds back the line that the stored log ends in', async () => {
    const { log } = await resume({
      stored: Buffer.from(`${lines(0, 9)}half of`),
      kept: `${lines(0, 9)}half of it\n`,
    });
    expect(log).toBe(' it\n');
  });

  test('has lost the beginning', async () => {
    for (const rest of ['', 'half', 'half ✓']) {
      const { log } = await resume({
        stored: Buffer.from(lines(0, 2_500) + rest),
        kept: lines(1_000, 2_500) + rest + lines(2_500, 4_000),
      });
      expect(log).toBe(lines(2_500, 4_000));
    }
  });

  test('has lost the beginning, and more of it while that was found out', async () => {
    const { log } = await resume({
      stored: Buffer.from(lines(0, 2_500)),
      kept: lines(1_000, 4_000),
      followed: [lines(1_000, 4_000), lines(1_200, 4_100), lines(1_200, 4_100)],
      written: [lines(1_000, 4_000), lines(1_200, 4_000)],
    });
    expect(log).toBe(lines(2_500, 4_100));
  });

  test('has lost more than the beginning: a line says so, and everything that is there follows', async () => {
    const { log } = await resume({ stored: Buffer.from(lines(0, 100)), kept: lines(2_000, 4_000) });
    expect(log).toBe(missingMark + lines(2_000, 4_000));
    const cut = await resume({ stored: Buffer.from(`${lines(0, 100)}half`), kept: lines(2_000, 4_000) });
    expect(cut.log).toBe(`\n${missingMark}${lines(2_000, 4_000)}`);
  });
});

test('what is stored is masked, and compared with what is masked', async () => {
  const mask = createMask(['a-long-secret']);
  const said = `${lines(0, 600)}it is a-long-secret here\n`;
  const stored = Buffer.from(mask.text(said));
  const { log } = await resume({ stored, kept: `${said}again a-long-secret\n`, pieceBytes: 5, mask });
  expect(log).toBe('again *****\n');
  const lost = await resume({
    stored: Buffer.from(lines(5_000, 5_999) + stored),
    kept: `${said}again a-long-secret\n`,
    mask,
  });
  expect(lost.log).toBe('again *****\n');
});

test('the protocol comes from its beginning, and each of its lines whole', async () => {
  const { protocol } = await resume({
    stored: Buffer.from(lines(0, 2_000)),
    kept: lines(1_000, 3_000),
    protocol: '{"event":"ready"}\n',
  });
  expect(new Set(protocol.split('\n'))).toEqual(new Set(['', '{"event":', '{"event":"ready"}']));
});

/** `kept`: what the engine has; with `followed` and `written` what it has each time that it is asked. */
async function resume(given: {
  stored: Buffer;
  kept: string | Buffer;
  followed?: string[];
  written?: string[];
  protocol?: string;
  pieceBytes?: number;
  mask?: Mask;
}) {
  const { stored, kept, pieceBytes = 10_000, mask = noMask, protocol = '' } = given;
  const followed = [...(given.followed ?? [])];
  const written = [...(given.written ?? [])];
  const output = async (text: string | Buffer | undefined) =>
    pieces(Buffer.from(text ?? kept), protocol, pieceBytes);
  const read = { log: [] as Buffer[], protocol: [] as Buffer[] };
  const source = { follow: () => output(followed.shift()), written: () => output(written.shift()) };
  const storedLog = {
    async *read() {
      for (let at = 0; at < stored.length; at += 999) yield stored.subarray(at, at + 999);
    },
    tail: async (maxBytes: number) => stored.subarray(-maxBytes),
  };
  for await (const { stream, content } of resumeOutput(source, storedLog, mask)) read[stream].push(content);
  return { log: Buffer.concat(read.log).toString(), protocol: Buffer.concat(read.protocol).toString() };
}

async function* pieces(log: Buffer, protocol: string, pieceBytes: number): Output {
  yield { stream: 'protocol', content: Buffer.from(protocol.slice(0, 9)) };
  for (let at = 0; at < log.length; at += pieceBytes) {
    yield { stream: 'log', content: log.subarray(at, at + pieceBytes) };
  }
  yield { stream: 'protocol', content: Buffer.from(protocol.slice(9)) };
}

/** As Go writes JSON: each byte that belongs to no character becomes U+FFFD. */
function keptByEngine(raw: Buffer): Buffer {
  const kept: string[] = [];
  for (let at = 0; at < raw.length;) {
    const size = [1, 2, 3, 4].find((length) => {
      const text = raw.subarray(at, at + length).toString();
      return !text.includes('\ufffd') && Buffer.byteLength(text) === length && [...text].length === 1;
    });
    kept.push(size === undefined ? '\ufffd' : raw.subarray(at, at + size).toString());
    at += size ?? 1;
  }
  return Buffer.from(kept.join(''));
}
