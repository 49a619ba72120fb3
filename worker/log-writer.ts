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
  #flushing: Promise<void> = Promise.resolve();

  constructor(
    context: Pick<Context, 'pool'>,
    lease: Lease,
    options: { storedBytes: number; maxBytes: number },
  ) {
    this.#context = context;
    this.#lease = lease;
    this.#stored = options.storedBytes;
    this.#maxBytes = options.maxBytes;
  }

  /** Waits while the database is slower than the log. Throws `LeaseLost`. */
  async write(content: Buffer): Promise<void> {
    const room = Math.max(0, this.#maxBytes - this.#stored - this.#pendingBytes);
    if (room > 0) {
      const kept = content.subarray(0, room);
      this.#pending.push(kept);
      this.#pendingBytes += kept.length;
    }
    if (content.length > room) this.#keepTail(content.subarray(room));
    if (this.#pendingBytes >= flushBytes) await this.flush();
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
}
