import type { Context } from '../src/context.ts';
import { patiently } from '../src/db.ts';
import { noteLastWords, noteSignal } from '../src/runs/interruption.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import type { Executor } from './executors/executor.ts';
import { LastWords } from './last-words.ts';

const repeatMs = 1_000;

/**
 * Sends a run's container SIGINT, dbt's way to stop its queries; then, after the grace, SIGKILL. Until then SIGINT is
 * repeated: it is lost on a container that is just being started, and only the first one that arrives counts. Each first
 * one that the engine has passed on is noted at once.
 */
export class Interruption {
  readonly #given: Given;
  readonly lastWords = new LastWords();
  readonly #sent = new Set<'SIGINT' | 'SIGKILL'>();
  readonly #noting: Promise<void>[] = [];
  #begun = false;
  #timers: NodeJS.Timeout[] = [];

  constructor(given: Given) {
    this.#given = given;
  }

  /** Whether a signal of ours has reached the container. */
  get wasSent(): boolean {
    return this.#sent.size > 0;
  }

  /** Once; again does nothing. */
  begin(why: 'a run that reached its timeout' | 'a run that was cancelled'): void {
    if (this.#begun) return;
    this.#begun = true;
    const { context, run } = this.#given;
    const { config, log } = context;
    this.lastWords.listen();
    log.info({ run: run.id, signal: 'SIGINT' }, `ending ${why}`);
    this.#send('SIGINT');
    const repeating = setInterval(() => this.#send('SIGINT'), repeatMs);
    const impatient = setTimeout(() => {
      clearInterval(repeating);
      log.info({ run: run.id, signal: 'SIGKILL' }, `ending ${why}`);
      this.#send('SIGKILL');
      // An engine that is away now hears of it when it is back.
      this.#timers.push(setInterval(() => this.#send('SIGKILL'), repeatMs));
    }, config.DCTL_CANCEL_GRACE_SECONDS * 1_000);
    this.#timers = [repeating, impatient];
  }

  /** Sends nothing more, and makes sure that what is known is noted. */
  async end(): Promise<void> {
    this.stop();
    await Promise.all(this.#noting);
    this.lastWords.end();
    const { context, run, letGo } = this.#given;
    const { lines } = this.lastWords;
    if (lines.length === 0) return;
    await patiently(() => noteLastWords(context.db, run.lease, lines), { forMs: Infinity, signal: letGo });
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #send(signal: 'SIGINT' | 'SIGKILL'): void {
    const { context, executor, run, container, letGo } = this.#given;
    const { db, log } = context;
    const sentAt = performance.now();
    executor
      .signal(container(), signal)
      .then((isSent) => {
        if (!isSent || this.#sent.has(signal)) return;
        this.#sent.add(signal);
        const note = () => noteSignal(db, run.lease, signal, performance.now() - sentAt);
        const noting = patiently(note, { forMs: Infinity, signal: letGo });
        this.#noting.push(
          noting.catch((error: unknown) => log.warn({ error, run: run.id }, 'a signal was not noted')),
        );
      })
      .catch((error: unknown) => log.warn({ error, run: run.id }, 'a signal was not sent'));
  }
}

interface Given {
  context: Context;
  executor: Executor;
  run: ClaimedRun;
  /** Its id; before that is known, its name. */
  container: () => string;
  letGo: AbortSignal;
}
