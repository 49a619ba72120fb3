import type { Context } from '../src/context.ts';
import type { Lease } from '../src/runs/lease.ts';
import { appendLog } from '../src/runs/logs.ts';

const flushBytes = 128 * 1024;
const tailBytes = 64 * 1024;

/** A worker that lost its lease must stop: another one works on the run. */
export class LeaseLost extends Error {
  constructor() {
    super('the run belongs to another worker by now');
    this.name = 'LeaseLost';
  }
}

/**
 * Stores a run's log as it comes: at once when much has come, else on `flush`. Past the limit it keeps the last
 * 64 KiB in memory, and `close` stores them after a line that says what is missing between.
 */
export class LogWriter {
  readonly #context: Pick<Context, 'pool'>;
  readonly #lease: Lease;
  readonly #maxBytes: number;
  #stored: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #tail: Buffer[] = [];
  #tailSize = 0;
  #leftOut = 0;
  #isFull: boolean;
  readonly #isClosed: boolean;
  #flushing: Promise<void> = Promise.resolve();

  /** `isClosed`: an earlier worker closed this log past its limit, so what comes again is not for it. */
  constructor(
    context: Pick<Context, 'pool'>,
    lease: Lease,
    options: { storedBytes: number; maxBytes: number; isClosed: boolean },
  ) {
    this.#context = context;
    this.#lease = lease;
    this.#stored = options.storedBytes;
    this.#maxBytes = options.maxBytes;
    this.#isFull = options.storedBytes >= options.maxBytes;
    this.#isClosed = options.isClosed;
  }

  /** Waits while the database is slower than the log. Throws `LeaseLost`. */
  async write(content: Buffer): Promise<void> {
    if (this.#isClosed) return;
    const kept = this.#isFull ? 0 : this.#roomFor(content);
    if (kept > 0) {
      this.#pending.push(content.subarray(0, kept));
      this.#pendingBytes += kept;
    }
    if (kept < content.length) {
      this.#isFull = true;
      this.#keepTail(content.subarray(kept));
    }
    if (this.#pendingBytes >= flushBytes) await this.flush();
  }

  #roomFor(content: Buffer): number {
    const room = Math.max(0, this.#maxBytes - this.#stored - this.#pendingBytes);
    return content.length < room ? content.length : wholeCharacters(content.subarray(0, room));
  }

  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#store(false));
    return this.#flushing;
  }

  /** Stores what is left. */
  async close(): Promise<void> {
    await this.flush();
    if (this.#tailSize === 0) return;
    if (this.#leftOut > 0) {
      this.#startTailAtCharacter();
      const limit = `${(this.#maxBytes / 1024 / 1024).toFixed(1)} MiB`;
      this.#pending.push(
        Buffer.from(`\n[dctl] the log is longer than ${limit}: ${this.#leftOut} bytes are left out here\n`),
      );
    }
    this.#pending.push(...this.#tail);
    await this.#store(this.#leftOut > 0);
  }

  async #store(truncated: boolean): Promise<void> {
    const content = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    if (content.length === 0) return;
    const startsAt = this.#stored;
    this.#stored += content.length;
    if (!(await appendLog(this.#context, this.#lease, { startsAt, content, truncated })))
      throw new LeaseLost();
  }

  #keepTail(content: Buffer): void {
    // A copy: a slice would keep the whole network buffer it came in.
    this.#tail.push(Buffer.from(content));
    this.#tailSize += content.length;
    while (this.#tailSize - (this.#tail[0]?.length ?? 0) >= tailBytes) {
      const dropped = this.#tail.shift()?.length ?? 0;
      this.#tailSize -= dropped;
      this.#leftOut += dropped;
    }
  }

  #startTailAtCharacter(): void {
    const tail = Buffer.concat(this.#tail);
    let start = 0;
    while (start < 3 && isInsideCharacter(tail[start])) start += 1;
    this.#tail = [tail.subarray(start)];
    this.#leftOut += start;
  }
}

/** The length of `content` without a character of UTF-8 that is cut off at its end. */
function wholeCharacters(content: Buffer): number {
  let start = content.length - 1;
  while (start > content.length - 4 && isInsideCharacter(content[start])) start -= 1;
  const first = content[start] ?? 0;
  const needed = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return content.length - start < needed ? start : content.length;
}

/** Whether the byte goes on with a character of UTF-8 that began before it. */
function isInsideCharacter(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
