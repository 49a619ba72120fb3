import { notWhole, refuseArchive } from './refuse-archive.ts';

/** One thing in a tar. Its content is there until the next one is asked for, and need not be read. */
export interface TarEntry {
  kind: 'file' | 'folder' | Unwanted;
  /** As the archive has it: judge it before use. */
  path: string;
  sizeBytes: number;
  isExecutable: boolean;
  content: AsyncIterable<Uint8Array>;
}

/** What no project needs, in words for its owner. */
type Unwanted = (typeof unwanted)[keyof typeof unwanted] | 'thing of an unknown kind';

const unwanted = {
  '1': 'hard link',
  '2': 'symbolic link',
  '3': 'device',
  '4': 'device',
  '6': 'fifo',
  S: 'sparse file',
} as const;

const blockBytes = 512;
const slash = 0x2f;
/** A header about another one (a long name, times, labels) is read into memory as a whole. */
const maxExtraBytes = 64 * 1024;
const maxExtrasInARow = 8;

/**
 * Reads ustar, GNU and PAX tars in one pass. What an archive says of itself decides nothing here but where the next
 * entry begins: memory stays at a chunk and one header, and whatever is not well-formed is refused.
 */
export async function* readTar(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const input = new Input(bytes);
  let extra: Extra = {};
  for (let extrasInARow = 0; ;) {
    const block = await input.take(blockBytes);
    if (block.every((byte) => byte === 0)) return await nothingMore(input);

    const header = headerOf(block);
    if ('xgLK'.includes(header.type)) {
      extrasInARow += 1;
      if (extrasInARow > maxExtrasInARow) refuseArchive(notWhole);
      extra = { ...extra, ...extraOf(header.type, await extraContent(input, header.sizeBytes)) };
      continue;
    }

    const kind = extra.isSparse === true ? 'sparse file' : kindOf(header);
    const hasContent = kind === 'file' || !'123456'.includes(header.type);
    const sizeBytes = hasContent ? (extra.sizeBytes ?? header.sizeBytes) : 0;
    // The name in the header may be one of these cut off, in the middle of a character.
    const path = extra.path ?? extra.longPath ?? textOf(header.name);
    const content = new Content(input, sizeBytes);
    yield { kind, path, sizeBytes, isExecutable: header.isExecutable, content };
    await content.skipRest();
    await input.skip(paddingAfter(sizeBytes));
    extra = {};
    extrasInARow = 0;
  }
}

/** Behind the end mark every tar has zeros up to a round size. Anything else would be lost without a word. */
async function nothingMore(input: Input): Promise<void> {
  for (let chunk = await input.some(Infinity); chunk !== null; chunk = await input.some(Infinity)) {
    if (chunk.some((byte) => byte !== 0))
      refuseArchive('it goes on behind its end. Pack it with one call of tar');
  }
}

interface TarHeader {
  type: string;
  name: Buffer;
  sizeBytes: number;
  isExecutable: boolean;
}

function headerOf(block: Buffer): TarHeader {
  if (numberAt(block, 148, 8) !== checksumOf(block)) refuseArchive(notWhole);
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156]!);
  const isUstar = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? untilNul(block.subarray(345, 500)) : Buffer.alloc(0);
  const name = untilNul(block.subarray(0, 100));
  return {
    type,
    name: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    sizeBytes: numberAt(block, 124, 12),
    isExecutable: (numberAt(block, 100, 8) & 0o100) !== 0,
  };
}

function kindOf({ type, name }: TarHeader): TarEntry['kind'] {
  // Before folders had a type of their own, their names ended with a slash.
  if (type === '0' || type === '7') return name.at(-1) === slash ? 'folder' : 'file';
  if (type === '5') return 'folder';
  return unwanted[type as keyof typeof unwanted] ?? 'thing of an unknown kind';
}

/** Octal text; or, with the highest bit set, a binary number. */
function numberAt(block: Buffer, at: number, length: number): number {
  const field = block.subarray(at, at + length);
  if (field[0]! >= 0x80) {
    const value = field[0] === 0x80 ? BigInt(`0x${field.toString('hex', 1)}`) : -1n;
    return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : refuseArchive(notWhole);
  }
  const digits = field.toString('latin1').replaceAll('\0', ' ').trim();
  if (!/^[0-7]*$/.test(digits)) refuseArchive(notWhole);
  return digits === '' ? 0 : parseInt(digits, 8);
}

/** Counted as if the sum itself were spaces. */
function checksumOf(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < blockBytes; at += 1) if (at < 148 || at >= 156) sum += block[at]!;
  return sum;
}

/** What a header says of the file behind it. */
interface Extra {
  path?: string;
  longPath?: string;
  sizeBytes?: number;
  isSparse?: boolean;
}

async function extraContent(input: Input, sizeBytes: number): Promise<Buffer> {
  if (sizeBytes > maxExtraBytes)
    refuseArchive(`it has a header of more than ${maxExtraBytes / 1024} KiB. Shorten that name`);
  const content = await input.take(sizeBytes);
  await input.skip(paddingAfter(sizeBytes));
  return content;
}

function extraOf(type: string, content: Buffer): Extra {
  if (type === 'L') return { longPath: textOf(untilNul(content)) };
  if (type === 'K') return {};
  const extra = paxExtra(content);
  // A global header is about every file behind it: a comment may be, a path or a size may not.
  if (type === 'g' && Object.keys(extra).length > 0) refuseArchive(notWhole);
  return extra;
}

/** Records of `<length> <key>=<value>\n`. */
function paxExtra(content: Buffer): Extra {
  const extra: Extra = {};
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(' ', at);
    const length = space < 0 ? '' : content.toString('latin1', at, space);
    if (!/^[1-9]\d{0,5}$/.test(length)) refuseArchive(notWhole);
    const end = at + Number(length);
    if (end <= space + 1 || end > content.length || content[end - 1] !== 0x0a) refuseArchive(notWhole);
    const record = content.subarray(space + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals < 1) refuseArchive(notWhole);
    const key = record.toString('latin1', 0, equals);
    const value = record.subarray(equals + 1);
    if (key === 'path') extra.path = textOf(value);
    if (key === 'size') extra.sizeBytes = sizeOf(value);
    if (key.startsWith('GNU.sparse.')) extra.isSparse = true;
    at = end;
  }
  return extra;
}

function sizeOf(value: Buffer): number {
  const text = value.toString('latin1');
  return /^\d{1,15}$/.test(text) ? Number(text) : refuseArchive(notWhole);
}

const paddingAfter = (sizeBytes: number) => (blockBytes - (sizeBytes % blockBytes)) % blockBytes;

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Two names that differ in bytes must not become one. */
function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    return refuseArchive('it has a file name that is not UTF-8. Rename that file', { cause });
  }
}

/** An entry's bytes, once. */
class Content implements AsyncIterable<Uint8Array> {
  readonly #input: Input;
  #leftBytes: number;

  constructor(input: Input, sizeBytes: number) {
    this.#input = input;
    this.#leftBytes = sizeBytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    while (this.#leftBytes > 0) {
      const chunk = (await this.#input.some(this.#leftBytes)) ?? refuseArchive(notWhole);
      this.#leftBytes -= chunk.length;
      yield chunk;
    }
  }

  async skipRest(): Promise<void> {
    await this.#input.skip(this.#leftBytes);
    this.#leftBytes = 0;
  }
}

/** Chunks of whatever length as bytes that can be taken by number. */
class Input {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#chunks = bytes[Symbol.asyncIterator]();
  }

  /** At least one byte and at most so many; null at the end. */
  async some(maxBytes: number): Promise<Buffer | null> {
    while (this.#held.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return null;
      this.#held = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    const taken = this.#held.subarray(0, maxBytes);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  /** Exactly so many bytes. */
  async take(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = bytes; left > 0;) {
      const part = (await this.some(left)) ?? refuseArchive(notWhole);
      parts.push(part);
      left -= part.length;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  async skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0;) left -= ((await this.some(left)) ?? refuseArchive(notWhole)).length;
  }
}
