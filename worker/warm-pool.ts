import { AsyncResource } from 'node:async_hooks';
import { isDeepStrictEqual } from 'node:util';
import type { Context } from '../src/context.ts';
import { preparationsChanged } from '../src/preparations/lease.ts';
import { WarmContainer, startWarmContainer, type WarmFor } from './warm-container.ts';
import type { Executor } from './executors/executor.ts';
import { planWarm, type DropReason, type Waiting } from './plan-warm.ts';
import { findWarmCandidates, type WarmCandidate } from './warm-candidates.ts';

const megabyte = 1024 * 1024;
/** What a small project takes: counted until it has been measured. */
const estimateBytes = 160 * megabyte;
/** One that was just made is kept although another is likelier by now. */
const minAgeMs = 60_000;
/** A place that stays free for so long is no gap between two runs of a queue. */
const calmMs = 300;
/** After one that could not be made the same is tried again so much later, and twice as long each time up to the last. */
const firstRetryMs = 15_000;
const lastRetryMs = 15 * 60_000;

/** What a run looks for. */
export interface RunToServe {
  fit: string | null;
  /** Of its first step. Null: nothing can have been parsed for it. */
  options: string[] | null;
}

interface PoolParts {
  context: Context;
  executor: Executor;
  shimTar: Buffer;
}

interface Pooled extends Waiting {
  container: WarmContainer;
}

/**
 * Containers that wait for the next run of a job that is in use: started, dbt imported, the project parsed. Each serves
 * one run and is gone with it. A run takes one that is made from the very same as its own would be, so none is ever out of
 * date; those that no job can use any more are dropped at the next look.
 *
 * One is made at a time, and none while runs have every place of the worker: they need the processors themselves, and one
 * that waits saves them nothing. An idle one never outlives this process: its stdin ends, and it with it.
 */
export class WarmPool {
  readonly #parts: PoolParts;
  readonly #pooled = new Set<Pooled>();
  /** Those that are to go, until they are gone. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #failures = new Map<string, { times: number; retryAt: number }>();
  /** By key, what the last one takes that was measured. */
  readonly #measured = new Map<string, number>();
  #making: string | null = null;
  /** Whether runs have, or just had, every place of the worker. */
  #isFull = false;
  #calm: NodeJS.Timeout | undefined;
  #isClosed = false;
  #again = false;
  #working: Promise<void> | null = null;
  /** What is done for the pool is logged as its own, whichever run it is that asks for it. */
  readonly #work = AsyncResource.bind(() => {
    this.#working ??= this.#lookUntilDone().finally(() => (this.#working = null));
  });
  #isTroubled = false;

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  get #memoryBytes(): number {
    return this.#parts.context.config.DCTL_WARM_MEMORY_MB * megabyte;
  }

  /** To be told whenever a run has taken a place of the worker, or left it. `count`: how many have one now. */
  runsAtWork(count: number): void {
    if (count >= this.#parts.context.config.DCTL_WORKER_CONCURRENCY) {
      this.#isFull = true;
      clearTimeout(this.#calm);
      this.#calm = undefined;
    } else if (this.#isFull) {
      this.#calm ??= setTimeout(() => this.#becomeCalm(), calmMs);
    }
  }

  /** The best container for the run, which is nobody else's from now on. Null: there is none. */
  take(run: RunToServe): WarmContainer | null {
    if (this.#memoryBytes === 0) return null;
    const { context, executor } = this.#parts;
    const { warmTaken } = context.metrics;
    const found = this.#bestFor(run);
    if (found === undefined) {
      warmTaken.inc({ found: 'none' });
    } else {
      if (found.container.state === 'warming') {
        void executor.yieldNoMore(found.container.containerId).catch(() => undefined);
      }
      found.container.take();
      this.#pooled.delete(found);
      warmTaken.inc({ found: isPreloadedFor(found.container, run) ? 'preloaded' : 'started' });
    }
    // Nothing is made while it is full: it looks when it is calm.
    if (this.#isFull) this.#show();
    else this.look();
    return found?.container ?? null;
  }

  /** Sees, soon, to what should wait and what should not. */
  look(): void {
    this.#show();
    if (this.#memoryBytes === 0 || this.#isClosed) return;
    this.#again = true;
    this.#work();
  }

  /** Removes all that wait. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#calm);
    for (const each of this.#pooled) this.#drop(each, 'stopped');
    await this.#working;
    await Promise.all(this.#leaving);
  }

  #becomeCalm(): void {
    this.#isFull = false;
    this.#calm = undefined;
    this.look();
  }

  #bestFor(run: RunToServe): Pooled | undefined {
    if (run.fit === null) return undefined;
    const maxAgeMs = this.#parts.context.config.DCTL_WARM_AGE_SECONDS * 1_000;
    const fitting = [...this.#pooled].filter(
      ({ container }) => container.fit === run.fit && !container.hasEnded && container.ageMs <= maxAgeMs,
    );
    const preloaded = fitting.filter(({ container }) => isPreloadedFor(container, run));
    const isReady = ({ container }: Pooled) => container.state === 'ready';
    // One that is still parsing what the run needs is nearer to its end than one that would begin.
    return preloaded.find(isReady) ?? preloaded[0] ?? fitting.find(isReady);
  }

  async #lookUntilDone(): Promise<void> {
    const { log } = this.#parts.context;
    try {
      while (this.#again && !this.#isClosed) {
        this.#again = false;
        await this.#lookOnce();
      }
      this.#isTroubled = false;
    } catch (error) {
      if (!this.#isTroubled) log.warn({ error }, 'what should wait for the next runs could not be looked up');
      this.#isTroubled = true;
    }
  }

  async #lookOnce(): Promise<void> {
    const { context, executor } = this.#parts;
    const { config } = context;
    const candidates = await findWarmCandidates(context, executor, this.#memoryBytes);
    if (this.#isClosed) return;
    const expected = candidates.map((each) => ({
      ...each,
      wanted: this.#canMake(each) ? each.wanted : 0,
      memoryBytes: this.#expectedBytes(each.key),
    }));
    const plan = planWarm(expected, [...this.#pooled], {
      memoryBytes: this.#memoryBytes,
      maxAgeMs: config.DCTL_WARM_AGE_SECONDS * 1_000,
      minAgeMs,
    });
    for (const { container, reason } of plan.drop) this.#drop(container, reason);
    this.#forgetAllBut(candidates);
    const next = candidates.find(({ key }) => key === plan.make);
    if (next !== undefined) await this.#make(next);
  }

  #canMake({ key, isPrepared }: WarmCandidate): boolean {
    return !this.#isFull && isPrepared && (this.#failures.get(key)?.retryAt ?? 0) <= performance.now();
  }

  async #make(candidate: WarmCandidate): Promise<void> {
    const { context, executor } = this.#parts;
    this.#making = candidate.key;
    this.#show();
    try {
      const container = await startWarmContainer(this.#parts, candidate);
      const pooled = this.#keep(container, candidate);
      await container.settled;
      if (container.state === 'over') throw new Error('it ended before it was ready');
      this.#failures.delete(candidate.key);
      if (container.state === 'taken') return;
      await executor.yieldNoMore(container.containerId);
      pooled.memoryBytes = (await executor.memoryOf(container.containerId)) ?? pooled.memoryBytes;
      this.#measured.set(candidate.key, pooled.memoryBytes);
      const ms = Math.round(container.ageMs);
      context.log.info(
        { container: container.containerId, memoryBytes: pooled.memoryBytes, ms },
        'a container waits for the next run',
      );
    } catch (error) {
      if (this.#isClosed) return;
      const times = (this.#failures.get(candidate.key)?.times ?? 0) + 1;
      const retryMs = Math.min(firstRetryMs * 2 ** (times - 1), lastRetryMs);
      this.#failures.set(candidate.key, { times, retryAt: performance.now() + retryMs });
      context.metrics.warmDropped.inc({ reason: 'failed' });
      context.log.warn({ error, retryMs }, 'a container could not be made ahead');
    } finally {
      this.#making = null;
      this.#again = true;
      this.#show();
    }
  }

  #keep(container: WarmContainer, { key }: WarmFor & { key: string }): Pooled {
    const pooled: Pooled = {
      container,
      key,
      memoryBytes: this.#expectedBytes(key),
      get ageMs() {
        return container.ageMs;
      },
    };
    this.#pooled.add(pooled);
    if (this.#isClosed) this.#drop(pooled, 'stopped');
    void container.ended.then(() => this.#drop(pooled, 'died'));
    return pooled;
  }

  /** Nothing when it is a run's by now. */
  #drop(pooled: Pooled, reason: DropReason | 'died' | 'stopped'): void {
    if (!this.#pooled.delete(pooled)) return;
    const { context, executor } = this.#parts;
    const { container } = pooled;
    container.giveUp();
    context.metrics.warmDropped.inc({ reason });
    context.log.info({ container: container.containerId, reason }, 'dropped a container that was made ahead');
    const leaving = executor
      .remove(container.containerId)
      .catch((error: unknown) =>
        context.log.warn({ error }, 'a container that was made ahead was not removed; the sweeper will'),
      )
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
    this.#show();
  }

  #forgetAllBut(candidates: WarmCandidate[]): void {
    const keys = new Set(candidates.map(({ key }) => key));
    for (const known of [this.#failures, this.#measured]) {
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key);
    }
  }

  #expectedBytes(key: string): number {
    return this.#measured.get(key) ?? estimateBytes;
  }

  #show(): void {
    const { warmContainers, warmMemory } = this.#parts.context.metrics;
    const states = [...this.#pooled].map(({ container }) => container.state);
    const ready = states.filter((state) => state === 'ready').length;
    const isCreating = this.#making !== null && states.length === ready;
    warmContainers.set({ state: 'ready' }, ready);
    warmContainers.set({ state: 'warming' }, states.length - ready + (isCreating ? 1 : 0));
    const bytes = [...this.#pooled].reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    warmMemory.set(bytes + (isCreating ? this.#expectedBytes(this.#making ?? '') : 0));
  }
}

/** Whether it has parsed, or is parsing, what the run's first step needs. */
export function isPreloadedFor({ options }: WarmContainer, run: RunToServe): boolean {
  return run.options !== null && isDeepStrictEqual(options, run.options);
}

/** Has the pool look now, every so often, and when something was prepared; until the signal aborts. */
export function lookRegularly({ config, changes }: Context, warm: WarmPool, signal: AbortSignal): void {
  const watch = changes.watch(preparationsChanged);
  signal.addEventListener('abort', () => watch.close());
  const look = async () => {
    for (; !signal.aborted; await watch.next(config.DCTL_SWEEP_SECONDS * 1_000)) warm.look();
  };
  void look();
}
