import { setTimeout as delay } from 'node:timers/promises';
import { endOfLog, upToEndMark } from './end-of-log.ts';
import type { Execution } from './execute.ts';
import { EngineAway, type ContainerEnd, type Output } from './executors/executor.ts';
import type { Started } from './launch.ts';
import { LeaseLost } from './log-writer.ts';
import type { ProgressWriter } from './progress-writer.ts';
import { maskedOutput, resumeOutput } from './resume-log.ts';
import { storedLog, storeOutput, type Heard } from './store-output.ts';

/** How often it is asked whether a container that says nothing is still there. */
const lookEveryMs = 3_000;
/** An engine that gives no output of a container that has ended is asked for it again, so often at most. */
const maxBroken = 5;
const brokenRetryMs = 500;

/** `end`: null when the container is gone. `endedAt`: in milliseconds of `performance.now()`. */
export interface Followed {
  end: ContainerEnd | null;
  endedAt: number;
}

/**
 * Stores all that a started container says, and waits for its end. 'again': its output broke off, or may have; the
 * container must be looked at anew. Throws `EngineAway`.
 */
export async function followToItsEnd(
  execution: Execution,
  { containerId, state, output }: Started,
  { heard, progress }: { heard: Heard; progress: ProgressWriter },
): Promise<Followed | 'again'> {
  const { context, executor, run, environment, interruption, letGo } = execution;
  const { mask } = environment;
  const cut = new AbortController();
  const until = AbortSignal.any([letGo, cut.signal]);
  const hasFinished = () => heard.finished !== undefined;
  const toItsMark = (from: Output) => upToEndMark(from, endOfLog(run.id), hasFinished);
  const kept = {
    follow: async () => toItsMark(await executor.follow(containerId, until)),
    written: async () => toItsMark(await executor.written(containerId, until)),
  };
  // Nothing is added to a log that an earlier worker has closed.
  const asItComes = output === null ? (run.logTruncated ? await kept.follow() : null) : toItsMark(output);
  const source =
    asItComes === null
      ? resumeOutput(kept, storedLog({ context, run, heard, letGo }), mask)
      : maskedOutput(asItComes, mask);
  const listening = listenTo(source, execution, { containerId, cut });
  const storing = { context, run, mask, progress, lastWords: interruption.lastWords, heard, letGo };
  let close: () => Promise<void>;
  try {
    ({ close } = await storeOutput(storing, listening.output));
  } finally {
    cut.abort();
    listening.stop();
  }
  if (letGo.aborted) throw new LeaseLost();
  // Of this end the engine has nothing to add, and nobody waits for it.
  if (endedWell(heard) && state === 'running' && !listening.brokeOff()) {
    await Promise.all([close(), progress.flush()]);
    return { end: { exitCode: 0, outOfMemory: false }, endedAt: listening.endedAt() };
  }
  const end = await executor.wait(containerId);
  if (end === 'running') return 'again';
  // Of a connection that was lost, not all may have come: the engine has the rest.
  const isWhole = !listening.brokeOff() && (state === 'ended' || interruption.wasSent);
  const hasAll = heard.finished !== undefined || isWhole;
  if (end !== null && !hasAll && heard.broken < maxBroken) {
    heard.broken += 1;
    await delay(state === 'ended' ? brokenRetryMs : 0);
    return 'again';
  }
  await Promise.all([close(), progress.flush()]);
  if (end === null || state === 'running') return { end, endedAt: listening.endedAt() };
  return { end, endedAt: performance.now() - (await executor.msSinceEnd(containerId)) };
}

/** Of another end the engine may know more: that the memory was not enough. */
function endedWell({ finished }: Heard): boolean {
  return finished?.exit_code === 0 && !finished.interrupted;
}

/**
 * An output that ends, and says that it broke off, where the other one fails; and when nothing more comes although the
 * container is over or the engine is silent.
 */
function listenTo(
  source: Output,
  { context, executor, run, letGo }: Execution,
  { containerId, cut }: { containerId: string; cut: AbortController },
) {
  let brokeOff = false;
  let endedAt = performance.now();
  let isWaiting = false;
  let pieces = 0;
  let looking = false;
  let overSince: number | null = null;
  const look = async () => {
    const seen = pieces;
    const found = await executor.find(containerId).catch(() => null);
    if (found?.state === 'running' || !isWaiting || pieces !== seen) overSince = null;
    else if (overSince === seen) cut.abort();
    else overSince = seen;
  };
  const timer = setInterval(() => {
    if (!isWaiting || looking) return;
    looking = true;
    void look().finally(() => (looking = false));
  }, lookEveryMs);

  async function* output(): Output {
    const reading = source[Symbol.asyncIterator]();
    try {
      for (;;) {
        isWaiting = true;
        const next = await reading.next().finally(() => (isWaiting = false));
        pieces += 1;
        if (next.done === true) return;
        yield next.value;
      }
    } catch (error) {
      if (error instanceof EngineAway) throw error;
      brokeOff = true;
      if (!letGo.aborted) context.log.warn({ error, run: run.id }, "a container's output broke off");
    } finally {
      endedAt = performance.now();
    }
  }
  return {
    output: output(),
    brokeOff: () => brokeOff,
    endedAt: () => endedAt,
    stop: () => clearInterval(timer),
  };
}
