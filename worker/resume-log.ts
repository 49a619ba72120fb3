import type { Output } from './executors/executor.ts';
import type { Mask } from './masking.ts';

/** So many bytes of ASCII decide whether two logs begin alike, and are looked for in one. */
const decidingBytes = 4 * 1024;
/** The engine keeps a line's text back until the line ends, or this much of it is there. */
const longestHeldBack = 16 * 1024;
const maxSearches = 3;
const lineBreak = 0x0a;
const nothing: Buffer = Buffer.alloc(0);

export const missingMark = '[dctl] some of the log may be missing here: no worker followed it\n';

/** What is stored of a run's log: masked, as it came from the container itself. */
export interface StoredLog {
  /** All of it, in its order. */
  read(): AsyncIterable<Buffer>;
  /** Its end, of at most so many bytes. */
  tail(maxBytes: number): Promise<Buffer>;
}

/** A container's output as the engine has kept it: to its end, or as far as it has come by now. */
export interface KeptOutput {
  follow(): Promise<Output>;
  written(): Promise<Output>;
}

/**
 * Masks a container's log, and leaves out of it what is stored. What comes for the protocol comes from the beginning.
 *
 * What the engine has kept is not byte for byte what it once passed on: text that is not UTF-8, or that was cut within a
 * character, has become U+FFFD, and of a long log the beginning is gone. So only the bytes of ASCII are compared: they
 * are the same in both. Where the beginning is gone the end of the stored log is looked for; when that is gone as well,
 * a line says so, and everything that is there follows.
 */
export async function* resumeOutput(kept: KeptOutput, stored: StoredLog, mask: Mask): Output {
  const compared = comparedWith(stored);
  try {
    return yield* behind(await kept.follow(), mask, (content) => compared.leaveOut(content));
  } catch (error) {
    if (!(error instanceof OtherLog)) throw error;
  }
  for (let search = 1; search <= maxSearches; search += 1) {
    // The protocol begins anew, maybe in the middle of a line.
    yield endOfLine;
    const place = await findEnd(kept, stored, mask);
    if (place === null) break;
    const counted = countedFrom(place);
    try {
      return yield* behind(await kept.follow(), mask, (content) => counted.leaveOut(content));
    } catch (error) {
      // The engine has let go of more in the meantime.
      if (!(error instanceof OtherLog)) throw error;
    }
  }
  const startsLine = (await stored.tail(1)).at(-1) === lineBreak;
  yield { stream: 'log', content: Buffer.from(`${startsLine ? '' : '\n'}${missingMark}`) };
  yield endOfLine;
  yield* maskedOutput(await kept.follow(), mask);
}

export function maskedOutput(output: Output, mask: Mask): Output {
  return behind(output, mask, async (content) => content);
}

const endOfLine = { stream: 'protocol', content: Buffer.from('\n') } as const;

/** The log that comes is not the stored one's continuation from its beginning. */
class OtherLog extends Error {}

async function* behind(output: Output, mask: Mask, leaveOut: (content: Buffer) => Promise<Buffer>): Output {
  const masking = mask.stream();
  for await (const { stream, content } of output) {
    if (stream === 'protocol') yield { stream, content };
    else yield { stream, content: await leaveOut(masking.write(content)) };
  }
  yield { stream: 'log', content: await leaveOut(masking.end()) };
}

/** Leaves out what is the same as the stored log; throws `OtherLog` where it is another. */
function comparedWith(stored: StoredLog) {
  const reading = stored.read()[Symbol.asyncIterator]();
  let page: Buffer | null = nothing;
  /** What comes after the last byte of ASCII that was read. */
  let wide = nothing;
  let skipping = 0;
  const nextPage = async () => {
    while (page?.length === 0) {
      const read = await reading.next();
      if (read.done === true) {
        page = null;
        skipping = keptLength(wide);
      } else {
        page = onlyAscii(read.value);
        wide = page.length > 0 ? afterAscii(read.value) : Buffer.concat([wide, read.value]);
      }
    }
  };

  return {
    async leaveOut(content: Buffer): Promise<Buffer> {
      await nextPage();
      if (page === null && skipping === 0) return content;
      const ascii = onlyAscii(content);
      let same = 0;
      while (page !== null && same < ascii.length) {
        const length: number = Math.min(page.length, ascii.length - same);
        if (page.compare(ascii, same, same + length, 0, length) !== 0) throw new OtherLog();
        same += length;
        page = page.subarray(length);
        await nextPage();
      }
      if (page !== null) return nothing;
      const place = placeAfter(content, same);
      const begins = skipWide(content, place, skipping);
      skipping = begins === content.length ? skipping - (begins - place) : 0;
      return content.subarray(begins);
    },
  };
}

/** A place in the log as the engine has kept it. */
interface Place {
  /** So many bytes of ASCII come before it, */
  ascii: number;
  /** and then so many others. */
  wide: number;
  /** The first bytes of ASCII there were when it was found. */
  head: Buffer;
}

/** Where the stored log ends in the one that the engine has kept; null when that cannot be told. */
async function findEnd(kept: KeptOutput, stored: StoredLog, mask: Mask): Promise<Place | null> {
  const tail = await stored.tail(4 * longestHeldBack);
  // Behind the last line break the engine may hold back what it once passed on.
  const lines = onlyAscii(tail.subarray(0, tail.lastIndexOf(lineBreak) + 1));
  const wanted = lines.length > 0 ? lines : onlyAscii(tail).subarray(0, -longestHeldBack);
  const pattern = wanted.subarray(-decidingBytes);
  if (pattern.length === 0) return null;
  const heldBack = onlyAscii(tail).length - wanted.length;

  let head = nothing;
  let before = nothing;
  let passed = 0;
  let found: number | null = null;
  const masking = mask.stream();
  const look = (content: Buffer) => {
    const ascii = onlyAscii(content);
    if (head.length < decidingBytes) {
      head = Buffer.concat([head, ascii.subarray(0, decidingBytes - head.length)]);
    }
    const all = Buffer.concat([before, ascii]);
    const at = all.lastIndexOf(pattern);
    if (at !== -1) found = passed - before.length + at + pattern.length;
    passed += ascii.length;
    before = all.subarray(Math.max(0, all.length - pattern.length + 1));
  };
  for await (const { stream, content } of await kept.written()) {
    if (stream === 'log') look(masking.write(content));
  }
  look(masking.end());
  return found === null ? null : { ascii: found + heldBack, wide: keptLength(afterAscii(tail)), head };
}

/** Leaves out what is before the place; throws `OtherLog` when the log begins in another way than it did. */
function countedFrom({ ascii: before, wide, head }: Place) {
  let passed = 0;
  let skipping = wide;
  return {
    async leaveOut(content: Buffer): Promise<Buffer> {
      if (passed >= Math.max(before, head.length) && skipping === 0) return content;
      const ascii = onlyAscii(content);
      const deciding = ascii.subarray(0, Math.max(0, head.length - passed));
      if (!deciding.equals(head.subarray(passed, passed + deciding.length))) throw new OtherLog();
      const missing = Math.max(0, before - passed);
      passed += ascii.length;
      if (ascii.length < missing) return nothing;
      const place = placeAfter(content, missing);
      const begins = skipWide(content, place, skipping);
      skipping = begins === content.length ? skipping - (begins - place) : 0;
      return content.subarray(begins);
    },
  };
}

function onlyAscii(content: Buffer): Buffer {
  const kept = Buffer.allocUnsafe(content.length);
  let length = 0;
  for (let at = 0; at < content.length; at += 1) {
    const byte = content[at]!;
    if (byte < 0x80) kept[length++] = byte;
  }
  return kept.subarray(0, length);
}

/** What comes after the last byte of ASCII. */
function afterAscii(content: Buffer): Buffer {
  let start = content.length;
  while (start > 0 && content[start - 1]! >= 0x80) start -= 1;
  return content.subarray(start);
}

/** Just behind so many bytes of ASCII; 0 bytes: at the beginning. */
function placeAfter(content: Buffer, asciiBytes: number): number {
  let left = asciiBytes;
  let at = 0;
  for (; left > 0; at += 1) if (content[at]! < 0x80) left -= 1;
  return at;
}

/** The place behind so many bytes that are not ASCII, or before the first that is. */
function skipWide(content: Buffer, from: number, atMost: number): number {
  let at = from;
  while (at < content.length && at - from < atMost && content[at]! >= 0x80) at += 1;
  return at;
}

/** How long the engine makes it: each byte that is not part of a character of UTF-8 becomes the three of U+FFFD. */
function keptLength(wide: Buffer): number {
  let length = 0;
  for (let at = 0; at < wide.length;) {
    const first = wide[at]!;
    const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    const character = wide.subarray(at, at + size).toString();
    const isWhole =
      character.length <= 2 && !character.includes('\ufffd') && Buffer.byteLength(character) === size;
    length += isWhole ? size : 3;
    at += isWhole ? size : 1;
  }
  return length;
}
