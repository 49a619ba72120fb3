import type { Context } from '../context.ts';
import { findSection, type LogSection } from './log-sections.ts';
import { lookAgainMs, readLog, readNews } from './logs.ts';
import { isFinal } from './status.ts';

/** So much of a log's end is kept in memory while somebody follows it: whoever is at it reads from there. */
const keptBytes = 256 * 1024;
const nothing: Buffer = Buffer.alloc(0);

/** Of a run's log what one reader wants of it. */
export interface LogReader {
  /** Where the wanted part begins, once it does. Null when the run ended without it, or nobody waits any more. */
  begins(): Promise<number | null>;
  /** The wanted part as it comes, from byte `from` to its end. Ends early when the signal aborts. */
  read(from: number): AsyncGenerator<Buffer>;
  /** To be called by whoever has joined. */
  leave(): void;
}

/**
 * The ends of the logs that are being followed through this process. All who follow a run share one subscription and one
 * look at the database a change. One who is slower than the log, or comes late, reads for itself until it is at the end:
 * it keeps nobody else waiting, and nothing is kept for it.
 */
export class LogTails {
  readonly #context: Pick<Context, 'db' | 'pool' | 'changes'>;
  readonly #tails = new Map<string, LogTail>();

  constructor(context: Pick<Context, 'db' | 'pool' | 'changes'>) {
    this.#context = context;
  }

  /** `step`: the one whose part is wanted; left out: all of the log. */
  join(runId: string, { step, signal }: { step: number | undefined; signal: AbortSignal }): LogReader {
    const known = this.#tails.get(runId);
    const tail = known === undefined || known.hasFailed ? new LogTail(this.#context, runId) : known;
    this.#tails.set(runId, tail);
    const forget = () => {
      if (this.#tails.get(runId) === tail) this.#tails.delete(runId);
    };
    return readerOf(this.#context, tail, { runId, step, signal, forget });
  }
}

function readerOf(
  context: Pick<Context, 'pool'>,
  tail: LogTail,
  {
    runId,
    step,
    signal,
    forget,
  }: { runId: string; step: number | undefined; signal: AbortSignal; forget: () => void },
): LogReader {
  const news = tail.enter();
  signal.addEventListener('abort', news.wake, { once: true });
  const section = (): LogSection => (step === undefined ? { from: 0, to: null } : tail.sectionOf(step));

  return {
    async begins() {
      if (step !== undefined) await tail.findSection(step);
      for (; !signal.aborted; await news.next()) {
        const { isOver } = tail.look();
        const { from } = section();
        if (from !== null || isOver) return from;
      }
      return null;
    },

    async *read(from) {
      for (let position = from; !signal.aborted;) {
        const { isOver, endsAt } = tail.look();
        const partEndsAt = section().to ?? Infinity;
        const left = Math.max(0, Math.min(endsAt, partEndsAt) - position);
        const stored =
          left === 0 ? nothing : (tail.read(position) ?? (await readLog(context, runId, position)));
        const content = stored.subarray(0, left);
        position += content.length;
        if (content.length > 0) yield content;
        else if (isOver || partEndsAt <= position) return;
        else await news.next();
      }
    },

    leave() {
      signal.removeEventListener('abort', news.wake);
      if (tail.exit(news) === 0) forget();
    },
  };
}

/** Tells one reader that something has changed since it last looked. */
class News {
  #isThere = false;
  #resolve: (() => void) | undefined;

  readonly wake = (): void => {
    this.#isThere = true;
    this.#resolve?.();
  };

  async next(): Promise<void> {
    if (!this.#isThere) await new Promise<void>((resolve) => (this.#resolve = resolve));
    this.#isThere = false;
  }
}

/** The end of one run's log, and what is known of its course. */
class LogTail {
  readonly #context: Pick<Context, 'db' | 'pool' | 'changes'>;
  readonly #runId: string;
  readonly #readers = new Set<News>();
  readonly #sections = new Map<number, LogSection>();
  #watching: { close(): void } | undefined;
  #pieces: Buffer[] = [];
  #startsAt = 0;
  #endsAt = 0;
  #isOver = false;
  #failure: unknown;

  constructor(context: Pick<Context, 'db' | 'pool' | 'changes'>, runId: string) {
    this.#context = context;
    this.#runId = runId;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  enter(): News {
    const news = new News();
    this.#readers.add(news);
    if (this.#watching === undefined) void this.#watch();
    return news;
  }

  /** How many are left. */
  exit(news: News): number {
    this.#readers.delete(news);
    if (this.#readers.size === 0) this.#watching?.close();
    return this.#readers.size;
  }

  /** Throws what the last look at the database threw. */
  look(): { isOver: boolean; endsAt: number } {
    if (this.#failure !== undefined) throw this.#failure;
    return { isOver: this.#isOver, endsAt: this.#endsAt };
  }

  sectionOf(step: number): LogSection {
    return this.#sections.get(step) ?? { from: null, to: null };
  }

  /** What is kept from there on, as far as it is in one piece. Null: it lies before what is kept. */
  read(position: number): Buffer | null {
    let from = this.#startsAt;
    if (position < from) return null;
    for (const piece of this.#pieces) {
      if (position < from + piece.length) return piece.subarray(position - from);
      from += piece.length;
    }
    return nothing;
  }

  /** Looks for a step's part of the log, and from now on with each change. */
  async findSection(step: number): Promise<void> {
    const { from, to } = await findSection(this.#context, this.#runId, step);
    const known = this.sectionOf(step);
    this.#sections.set(step, { from: from ?? known.from, to: to ?? known.to });
  }

  async #watch(): Promise<void> {
    const watch = this.#context.changes.watch(this.#runId);
    this.#watching = watch;
    try {
      let isFirst = true;
      while (this.#readers.size > 0 && !this.#isOver) {
        const from = isFirst ? Number.MAX_SAFE_INTEGER : this.#endsAt;
        const { status, logBytes, content } = await readNews(this.#context, this.#runId, from);
        // Whoever begins earlier reads up to here for itself.
        if (isFirst) this.#startsAt = this.#endsAt = logBytes;
        isFirst = false;
        // Before they are told of the log: the place of a part is stored before what is in it.
        for (const step of this.#sections.keys()) await this.findSection(step);
        this.#keep(content);
        const hasMore = content.length > 0 && this.#endsAt < logBytes;
        this.#isOver = isFinal(status) && !hasMore;
        for (const news of this.#readers) news.wake();
        if (!this.#isOver && !hasMore) await watch.next(lookAgainMs);
      }
    } catch (error) {
      this.#failure = error;
      for (const news of this.#readers) news.wake();
    } finally {
      watch.close();
    }
  }

  #keep(content: Buffer): void {
    if (content.length > 0) this.#pieces.push(content);
    this.#endsAt += content.length;
    while (this.#endsAt - this.#startsAt > keptBytes) this.#startsAt += this.#pieces.shift()!.length;
  }
}
