import type { Context } from '../src/context.ts';
import { patiently } from '../src/db.ts';
import type { Lease } from '../src/runs/lease.ts';
import { appendLog } from '../src/runs/logs.ts';
import { LogTail, wholeCharacters } from './log-tail.ts';

const flushBytes = 128 * 1024;
const tailBytes = 64 * 1024;
const nothing = Buffer.alloc(0);

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
  readonly #letGo: AbortSignal;
  #stored: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  readonly #tail = new LogTail(tailBytes);
  /** The beginning of a character whose end has not come yet. */
  #unfinished: Buffer = nothing;
  #isFull: boolean;
  readonly #isClosed: boolean;
  #flushing: Promise<void> = Promise.resolve();

  /**
   * `isClosed`: an earlier worker closed this log past its limit, so what comes again is not for it. `letGo`: until it
   * aborts Postgres is waited for while it is away; so is then whoever writes, and nothing piles up.
   */
  constructor(
    context: Pick<Context, 'pool'>,
    lease: Lease,
    options: { storedBytes: number; maxBytes: number; isClosed: boolean; letGo: AbortSignal },
  ) {
    this.#context = context;
    this.#lease = lease;
    this.#stored = options.storedBytes;
    this.#maxBytes = options.maxBytes;
    this.#letGo = options.letGo;
    this.#isFull = options.storedBytes >= options.maxBytes;
    this.#isClosed = options.isClosed;
  }

  /** How much of the log is stored by now, or about to be. */
  get storedBytes(): number {
    return this.#stored;
  }

  /** Waits while the database is slower than the log. Throws `LeaseLost`. */
  async write(content: Buffer): Promise<void> {
    if (this.#isClosed) return;
    if (this.#isFull) return this.#tail.add(content);
    const all = Buffer.concat([this.#unfinished, content]);
    const room = Math.max(0, this.#maxBytes - this.#stored - this.#pendingBytes);
    const kept = wholeCharacters(all.subarray(0, room));
    this.#pending.push(all.subarray(0, kept));
    this.#pendingBytes += kept;
    this.#isFull = all.length > room;
    this.#unfinished = this.#isFull ? nothing : all.subarray(kept);
    if (this.#isFull) this.#tail.add(all.subarray(kept));
    if (this.#pendingBytes >= flushBytes) await this.flush();
  }

  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#store(false));
    return this.#flushing;
  }

  /** Stores what is left. */
  async close(): Promise<void> {
    this.#pending.push(this.#unfinished);
    await this.flush();
    const tail = this.#tail.take();
    const { leftOut } = this.#tail;
    if (leftOut > 0) {
      const limit = `${(this.#maxBytes / 1024 / 1024).toFixed(1)} MiB`;
      this.#pending.push(
        Buffer.from(`\n[dctl] the log is longer than ${limit}: ${leftOut} bytes are left out here\n`),
      );
    }
    this.#pending.push(tail);
    await this.#store(leftOut > 0);
  }

  async #store(truncated: boolean): Promise<void> {
    const content = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    if (content.length === 0) return;
    const startsAt = this.#stored;
    this.#stored += content.length;
    const piece = { startsAt, content, truncated };
    const store = () => appendLog(this.#context, this.#lease, piece);
    if (!(await patiently(store, { forMs: Infinity, signal: this.#letGo }))) throw new LeaseLost();
  }
}
