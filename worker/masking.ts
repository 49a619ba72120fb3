import { formsOf } from './secret-forms.ts';

/** Finds a run's secrets in what it wrote, and puts `*****` in their place. */
export interface Mask {
  /** For one stream of bytes. Whatever the borders of the pieces, the whole output is the same. */
  stream(): MaskStream;
  text(text: string): string;
  /** Whether anything in the bytes would be masked. */
  finds(content: Buffer): boolean;
}

export interface MaskStream {
  /** What can be let through by now: an end that may be the beginning of a secret is held back. */
  write(content: Buffer): Buffer;
  /** What was held back. */
  end(): Buffer;
  /** Whether anything was masked so far. */
  readonly hasFound: boolean;
}

const stars = Buffer.from('*****');
const nothing = Buffer.alloc(0);

/** Texts of this size were cut to it on their way, maybe in the middle of a secret. */
const cutBytes = 4_000;
/** Patterns are looked up by so many of their first bytes. */
const firstBytes = 4;

export function createMask(secrets: readonly string[]): Mask {
  const patterns = formsOf(secrets);
  if (patterns.length === 0) return nothingToMask;
  const index = indexOf(patterns);
  const stream = () => maskStream(index);
  return {
    stream,
    text(text) {
      const content = Buffer.from(text);
      const masking = stream();
      const begin = masking.write(content);
      const end = masking.end();
      const cut = content.length >= cutBytes && end.length >= firstBytes && !end.includes(stars);
      if (!masking.hasFound && !cut) return text;
      return Buffer.concat([begin, cut ? stars : end]).toString();
    },
    finds(content) {
      const masking = stream();
      masking.write(content);
      masking.end();
      return masking.hasFound;
    },
  };
}

const nothingToMask: Mask = {
  stream: () => ({ write: (content) => content, end: () => nothing, hasFound: false }),
  text: (text) => text,
  finds: () => false,
};

/**
 * All patterns by their first bytes, which are looked up at every place of the content. Almost always a look into
 * `isFirst` says that none begins there; its places are shared by many, so a yes means only maybe.
 */
interface Index {
  isFirst: Uint8Array;
  byFirst: Map<number, Buffer[]>;
  /** Every shorter beginning of a pattern. */
  short: Set<string>;
  maxBytes: number;
}

const placeBits = 16;
const placeFactor = 0x9e3779b1;
const placeShift = 32 - placeBits;

/** `patterns`: longest first. */
function indexOf(patterns: Buffer[]): Index {
  const isFirst = new Uint8Array(1 << placeBits);
  const byFirst = new Map<number, Buffer[]>();
  const short = new Set<string>();
  for (const pattern of patterns) {
    const first = pattern.readInt32BE(0);
    isFirst[Math.imul(first, placeFactor) >>> placeShift] = 1;
    byFirst.set(first, [...(byFirst.get(first) ?? []), pattern]);
    for (let length = 1; length < firstBytes; length += 1) short.add(pattern.toString('latin1', 0, length));
  }
  return { isFirst, byFirst, short, maxBytes: patterns[0]?.length ?? 0 };
}

/** Everything that belongs to a pattern is masked; where patterns overlap, all that they cover is one `*****`. */
function maskStream(index: Index): MaskStream {
  let held = nothing;
  /** So many bytes from the beginning of `held` on belong to a pattern that is masked already. */
  let covered = 0;
  let hasFound = false;

  const mask = (content: Buffer, end: number): Buffer => {
    const output: Buffer[] = [];
    let shownFrom = covered;
    let coveredTo = covered;
    for (let at = nextFirst(index, content, 0, end); at < end; at = nextFirst(index, content, at + 1, end)) {
      const length = longestAt(index, content, at);
      if (length === 0) continue;
      hasFound = true;
      if (at >= coveredTo) output.push(content.subarray(shownFrom, at), stars);
      coveredTo = Math.max(coveredTo, at + length);
      shownFrom = coveredTo;
    }
    if (shownFrom < end) output.push(content.subarray(shownFrom, end));
    held = Buffer.from(content.subarray(end));
    covered = Math.max(0, coveredTo - end);
    return output.length === 1 ? output[0]! : Buffer.concat(output);
  };

  return {
    write(content) {
      const all = held.length === 0 ? content : Buffer.concat([held, content]);
      return mask(all, all.length - unsettledBytes(index, all));
    },
    end: () => mask(held, held.length),
    get hasFound() {
      return hasFound;
    },
  };
}

/** The first place from `from` on and before `end` where a pattern may begin; `end` when there is none. */
function nextFirst({ isFirst }: Index, content: Buffer, from: number, end: number): number {
  const stop = Math.min(end, content.length - firstBytes + 1);
  if (from >= stop) return end;
  let first = content.readInt32BE(from) >> 8;
  for (let at = from; at < stop; at += 1) {
    first = (first << 8) | content[at + firstBytes - 1]!;
    if (isFirst[Math.imul(first, placeFactor) >>> placeShift] !== 0) return at;
  }
  return end;
}

/** The length of the longest pattern that stands at this place; 0 when none does. */
function longestAt({ byFirst }: Index, content: Buffer, at: number): number {
  const found = byFirst.get(content.readInt32BE(at))?.find((pattern) => {
    const end = at + pattern.length;
    return end <= content.length && content.compare(pattern, 0, pattern.length, at, end) === 0;
  });
  return found?.length ?? 0;
}

/** The longest end of the content that is a beginning of a pattern, but not all of one: more may follow. */
function unsettledBytes(index: Index, content: Buffer): number {
  const { byFirst, short, maxBytes } = index;
  const end = content.length;
  const earliest = Math.max(0, end - maxBytes + 1);
  for (
    let at = nextFirst(index, content, earliest, end);
    at < end;
    at = nextFirst(index, content, at + 1, end)
  ) {
    const length = end - at;
    const begun = byFirst
      .get(content.readInt32BE(at))
      ?.some((pattern) => pattern.length > length && content.compare(pattern, 0, length, at) === 0);
    if (begun) return length;
  }
  for (let length = Math.min(firstBytes - 1, end); length > 0; length -= 1) {
    if (short.has(content.toString('latin1', end - length))) return length;
  }
  return 0;
}
