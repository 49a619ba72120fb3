import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../src/context.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import type { Outcome } from '../src/runs/status.ts';
import type { Cancellation } from './cancellation.ts';
import { containerName } from './dbt/container-spec.ts';
import { diedWaiting } from './died-waiting.ts';
import { CouldNotStart, EngineAway, type Executor } from './executors/executor.ts';
import { followToItsEnd } from './follow.ts';
import { Interruption } from './interrupt.ts';
import { ensureStarted, forgetContainer, type Launch } from './launch.ts';
import { LeaseLost } from './log-writer.ts';
import { outcomeOf } from './outcome.ts';
import { ProgressWriter } from './progress-writer.ts';
import type { RunEnvironment } from './run-environment.ts';
import type { Heard } from './store-output.ts';
import type { WarmPool } from './warm-pool.ts';

const engineRetryMs = 500;
/** How long after SIGKILL the engine may take to say that a container is over. */
const killedWithinMs = 3_000;

export interface Claim {
  context: Context;
  executor: Executor;
  /** A tar with the shim at its place. */
  shimTar: Buffer;
  /** Containers that were made ahead. */
  warm: WarmPool;
  run: ClaimedRun;
  environment: RunEnvironment;
  /** Aborts when this worker must let go of the run: its lease is lost, or the worker stops. */
  letGo: AbortSignal;
  cancellation: Cancellation;
}

export interface Execution extends Claim {
  launch: Launch;
  interruption: Interruption;
  timeout: { hasExpired: boolean };
}

/** `endedAt`: when the container ended, in milliseconds of `performance.now()`. */
export interface Ended {
  outcome: Outcome;
  endedAt: number;
}

/** `containerId`: of the container it was launched in. Null: it was not. */
export type Executed = Ended & { containerId: string | null };

/**
 * Brings a claimed run to the end of its container and says how that was. Launches it unless that was done: then it
 * follows the container that is there. Throws `LeaseLost` when it must let go.
 *
 * A run that somebody cancels is over at once when it was not launched, and soon after the grace when it was: also
 * while the engine does not answer. So is one at its timeout.
 */
export async function execute(claim: Claim): Promise<Executed> {
  const { cancellation, run } = claim;
  const abandoned = new AbortController();
  const letGo = AbortSignal.any([claim.letGo, abandoned.signal]);
  const launch: Launch = {
    hasBegun: run.launchedAt !== null,
    containerId: run.containerId,
    isWarm: false,
    fence: run.fence,
    times: 0,
  };
  const container = () => launch.containerId ?? containerName(run.id);
  const interruption = new Interruption({ ...claim, container });
  const execution = { ...claim, letGo, launch, interruption, timeout: { hasExpired: false } };
  const ending = endWhenDue(execution);
  try {
    const ended = await Promise.race([ending.over, toItsEnd(execution)]);
    await interruption.end();
    const inTheEnd = cancellation.by === null ? ended : cancelledUnlessOver(ended, cancellation.by);
    return { ...inTheEnd, containerId: launch.containerId };
  } catch (error) {
    // Whatever is wrong with the engine: the container, if there is one, is removed sooner or later.
    if (cancellation.by === null || error instanceof LeaseLost) throw error;
    const outcome: Outcome = { kind: 'cancelled', by: cancellation.by, atWork: false };
    return { outcome, endedAt: performance.now(), containerId: launch.containerId };
  } finally {
    ending.stop();
    interruption.stop();
    abandoned.abort();
  }
}

/**
 * Interrupts a run when somebody cancels it, or when its time is up. `over` comes to nothing unless the engine is silent
 * then, or what was cancelled was not launched.
 */
function endWhenDue(execution: Execution): { over: Promise<Ended>; stop: () => void } {
  const { context, executor, cancellation, interruption, launch, run, timeout } = execution;
  const { promise: over, resolve } = Promise.withResolvers<Ended>();
  const graceMs = context.config.DCTL_CANCEL_GRACE_SECONDS * 1_000 + killedWithinMs;
  const timers = new Set<NodeJS.Timeout>();
  let isOver = false;
  const after = (ms: number, act: () => void) => {
    if (!isOver) timers.add(setTimeout(act, ms));
  };
  const end = (outcome: Outcome) => resolve({ outcome, endedAt: performance.now() });

  const cancel = () => {
    const outcome: Outcome = { kind: 'cancelled', by: cancellation.by ?? '', atWork: false };
    if (!launch.hasBegun) return end(outcome);
    interruption.begin('a run that was cancelled');
    after(graceMs, () => end(outcome));
  };
  const endIfSilent = async () => {
    const isSilent = await executor.find(containerName(run.id)).then(
      () => false,
      (error: unknown) => error instanceof EngineAway,
    );
    if (isSilent) end({ kind: 'timed_out', afterSeconds: run.settings.timeoutSeconds });
    else after(killedWithinMs, () => void endIfSilent());
  };
  after(run.remainingMs, () => {
    timeout.hasExpired = true;
    interruption.begin('a run that reached its timeout');
    after(graceMs, () => void endIfSilent());
  });
  if (cancellation.by === null) cancellation.signal.addEventListener('abort', cancel, { once: true });
  else cancel();
  return {
    over,
    stop() {
      isOver = true;
      cancellation.signal.removeEventListener('abort', cancel);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

/** A run that came to its own end while it was being cancelled keeps it. */
function cancelledUnlessOver({ outcome, endedAt }: Ended, by: string): Ended {
  const { kind } = outcome;
  if (kind === 'exited' || kind === 'out_of_memory' || kind === 'cancelled') return { outcome, endedAt };
  const atWork = kind === 'killed' || kind === 'timed_out' || kind === 'engine_restarted';
  return { outcome: { kind: 'cancelled', by, atWork }, endedAt };
}

/** As often as the engine goes away, or a container ends without having been told what to run. */
async function toItsEnd(execution: Execution): Promise<Ended> {
  const { context, run, letGo, launch, interruption, timeout } = execution;
  const heard: Heard = {
    finished: undefined,
    noMessage: false,
    hasBegun: false,
    logBytes: run.logBytes,
    broken: 0,
  };
  const progress = new ProgressWriter(context, run.lease, { stepCount: run.settings.steps.length, letGo });
  let engineWasAway = false;
  for (;;) {
    try {
      const started = await ensureStarted(execution);
      if (started === null) return { outcome: { kind: 'container_lost' }, endedAt: performance.now() };
      // It has outlived what kept the engine away.
      if (started.state === 'running') engineWasAway = false;
      const followed = await followToItsEnd(execution, started, { heard, progress });
      if (followed === 'again') continue;
      const { containerId } = started;
      const wasNotTold =
        followed.end !== null && heard.noMessage && !heard.hasBegun && heard.finished === undefined;
      if (wasNotTold || (await diedWaiting(execution, { containerId, end: followed.end, heard }))) {
        context.log.info({ run: run.id }, 'the container was not told what to run; it is launched again');
        await forgetContainer(execution, containerId);
        Object.assign(heard, { noMessage: false, logBytes: 0 });
        continue;
      }
      const circumstances = {
        timedOut: timeout.hasExpired,
        interrupted: interruption.wasSent,
        engineWasAway,
      };
      return {
        outcome: outcomeOf(followed.end, heard, circumstances, execution),
        endedAt: followed.endedAt,
      };
    } catch (error) {
      if (letGo.aborted) throw new LeaseLost();
      if (error instanceof CouldNotStart) {
        context.log.warn({ error, run: run.id }, 'the container could not be started');
        const outcome: Outcome = { kind: 'could_not_start', reason: error.reason, why: error.message };
        return { outcome, endedAt: performance.now() };
      }
      if (!(error instanceof EngineAway)) throw error;
      context.log.warn({ error, run: run.id }, 'the engine is away; the run waits for it');
      engineWasAway ||= launch.hasBegun;
    }
    await untilEngineAnswers(execution);
  }
}

/** Without end for a run that was launched: its timeout is counted on. */
async function untilEngineAnswers({ context, executor, run, letGo, launch }: Execution): Promise<void> {
  const patienceMs = context.config.DCTL_ENGINE_PATIENCE_SECONDS * 1_000;
  for (const startedAt = performance.now(); !letGo.aborted; await delay(engineRetryMs)) {
    try {
      await executor.find(containerName(run.id));
      return;
    } catch (error) {
      if (!(error instanceof EngineAway)) throw error;
      if (launch.hasBegun || performance.now() - startedAt < patienceMs) continue;
      throw new CouldNotStart('runtime_unavailable', 'The Docker engine does not answer.', { cause: error });
    }
  }
  throw new LeaseLost();
}
