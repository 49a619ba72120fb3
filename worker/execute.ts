import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../src/context.ts';
import { markLaunched, type ClaimedRun } from '../src/runs/lease.ts';
import type { Outcome } from '../src/runs/status.ts';
import type { Cancellation } from './cancellation.ts';
import { containerName, containerSpec, runMessage, stepHeader } from './dbt/container-spec.ts';
import { ProtocolReader, type ShimEvent } from './dbt/protocol.ts';
import { CouldNotStart, type ContainerEnd, type Executor, type Output } from './executors/executor.ts';
import { interrupt } from './interrupt.ts';
import { LeaseLost, LogWriter } from './log-writer.ts';
import type { Mask } from './masking.ts';
import { ProgressWriter } from './progress-writer.ts';
import type { RunEnvironment } from './run-environment.ts';
import { runFiles } from './run-files.ts';
import { SectionFinder } from './section-finder.ts';

const flushMs = 200;
const engineRetryMs = 500;
/** How long after SIGKILL the engine may take to say that a container is over. */
const killedWithinMs = 3_000;
const neverStarted =
  'A worker ended just before it started the container, so dbt never ran: trigger the job again.';

export interface Execution {
  context: Context;
  executor: Executor;
  /** A tar with the shim at its place. */
  shimTar: Buffer;
  run: ClaimedRun;
  environment: RunEnvironment;
  /** Aborts when this worker must let go of the run: its lease is lost, or the worker stops. */
  letGo: AbortSignal;
  cancellation: Cancellation;
}

/**
 * Brings a claimed run to the end of its container and says how that was. Launches it unless an earlier worker did:
 * then it follows the container that is there. Throws `LeaseLost` when it must let go.
 *
 * A run that somebody cancels is over at once when it was not launched, and soon after the grace when it was: also
 * while the engine does not answer.
 */
export async function execute(given: Execution): Promise<Outcome> {
  const { cancellation } = given;
  const abandoned = new AbortController();
  const execution: Launching = {
    ...given,
    letGo: AbortSignal.any([given.letGo, abandoned.signal]),
    launch: { hasBegun: given.run.launchedAt !== null },
  };
  const cancelling = cancelWhenAsked(execution);
  try {
    const outcome = await Promise.race([cancelling.over, toItsEnd(execution)]);
    return cancellation.by === null ? outcome : cancelledUnlessOver(outcome, cancellation.by);
  } catch (error) {
    // Whatever is wrong with the engine: the container, if there is one, is removed sooner or later.
    if (cancellation.by === null || error instanceof LeaseLost) throw error;
    return { kind: 'cancelled', by: cancellation.by, atWork: false };
  } finally {
    cancelling.stop();
    abandoned.abort();
  }
}

/** `over` comes to nothing unless somebody cancels the run. Then it does not wait for an engine that is silent. */
function cancelWhenAsked(execution: Launching): { over: Promise<Outcome>; stop: () => void } {
  const { context, cancellation, launch } = execution;
  const { promise: over, resolve } = Promise.withResolvers<Outcome>();
  let leaveOff = () => cancellation.signal.removeEventListener('abort', begin);
  const begin = () => {
    const outcome: Outcome = { kind: 'cancelled', by: cancellation.by ?? '', atWork: false };
    if (!launch.hasBegun) return resolve(outcome);
    const stopSignals = interrupt(execution, 'a run that was cancelled');
    const late = setTimeout(
      () => resolve(outcome),
      context.config.DCTL_CANCEL_GRACE_SECONDS * 1_000 + killedWithinMs,
    );
    leaveOff = () => {
      stopSignals();
      clearTimeout(late);
    };
  };
  if (cancellation.by === null) cancellation.signal.addEventListener('abort', begin, { once: true });
  else begin();
  return { over, stop: () => leaveOff() };
}

interface Launching extends Execution {
  /** Whether the container may have been started, or be about to. */
  launch: { hasBegun: boolean };
}

/** A run that came to its own end while it was being cancelled keeps it. */
function cancelledUnlessOver(outcome: Outcome, by: string): Outcome {
  const { kind } = outcome;
  if (kind === 'exited' || kind === 'out_of_memory' || kind === 'cancelled') return outcome;
  return { kind: 'cancelled', by, atWork: kind === 'killed' || kind === 'timed_out' };
}

async function toItsEnd(given: Launching): Promise<Outcome> {
  // What can't be stored must not wait for the container's next word to be noticed.
  const broken = new AbortController();
  const execution = { ...given, letGo: AbortSignal.any([given.letGo, broken.signal]) };
  try {
    const output = await startOrFollow(execution);
    if (output === null) return { kind: 'container_lost' };
    return await untilEnded(execution, output, broken);
  } catch (error) {
    if (error instanceof CouldNotStart) {
      execution.context.log.warn({ error, run: execution.run.id }, 'the container could not be started');
      return { kind: 'could_not_start', reason: error.reason, why: error.message };
    }
    if (broken.signal.aborted) throw broken.signal.reason;
    throw given.letGo.aborted ? new LeaseLost() : error;
  }
}

async function startOrFollow(execution: Launching): Promise<Output | null> {
  const { context, executor, run, environment, letGo, cancellation, launch } = execution;
  const { db } = context;
  const name = containerName(run.id);
  if (run.launchedAt !== null) {
    const found = await executor.find(name);
    if (found === 'created') throw new CouldNotStart('could_not_start', neverStarted);
    return found === null ? null : executor.follow(name, letGo);
  }
  // A worker that died before the launch may have left a container that never ran.
  if (run.fence > 1) await executor.remove(name);

  const { containerId } = await createPatiently(execution);
  // Cancelled meanwhile: nobody waits for this any more.
  if (cancellation.by !== null) await executor.remove(name);
  if (letGo.aborted) throw new LeaseLost();
  launch.hasBegun = true;
  const marked = await markLaunched(db, run.lease, containerId);
  if (marked === null) throw new LeaseLost();
  cancellation.begin(marked.cancelledBy);
  if (marked.cancelledBy !== null) return null;
  return executor.start(name, runMessage(run, environment.variables), letGo);
}

/** An engine that restarts is waited for: else one worker would end a whole queue of runs meanwhile. */
async function createPatiently({ context, executor, shimTar, run, environment, letGo }: Execution) {
  const { config } = context;
  const spec = containerSpec(run, config);
  for (const startedAt = performance.now(); ; await delay(engineRetryMs)) {
    try {
      return await executor.create(
        spec,
        runFiles(context, run, spec.image, { shimTar, more: environment.files }),
      );
    } catch (error) {
      const isAway = error instanceof CouldNotStart && error.reason === 'runtime_unavailable';
      const waitedMs = performance.now() - startedAt;
      if (!isAway || letGo.aborted || waitedMs > config.DCTL_ENGINE_PATIENCE_SECONDS * 1_000) throw error;
    }
  }
}

async function untilEnded(execution: Execution, output: Output, broken: AbortController): Promise<Outcome> {
  const { context, executor, run, environment } = execution;
  const { config } = context;
  const log = new LogWriter(context, run.lease, {
    storedBytes: run.logBytes,
    maxBytes: config.DCTL_MAX_LOG_BYTES,
    isClosed: run.logTruncated,
  });
  const { steps } = run.settings;
  const progress = new ProgressWriter(context, run.lease, steps.length);
  const sections = new SectionFinder(
    steps.slice(1).map((_, place) => environment.mask.text(stepHeader(run, place + 2))),
  );
  const timeout = endAfterTimeout(execution);
  let finished: Extract<ShimEvent, { event: 'finished' }> | undefined;
  const flushing = setInterval(() => {
    Promise.all([log.flush(), progress.flush()]).catch((error: unknown) => broken.abort(error));
  }, flushMs);

  try {
    const protocol = new ProtocolReader();
    const mask = environment.mask.stream();
    let alreadyStored = run.logBytes;
    // Masked first: what is stored is counted in masked bytes, and a take-over skips as many of them.
    const store = async (content: Buffer) => {
      for (const { step, from, end } of sections.write(content)) {
        if (end <= config.DCTL_MAX_LOG_BYTES) await progress.beginSection({ step, from });
      }
      const seenBefore = Math.min(alreadyStored, content.length);
      alreadyStored -= seenBefore;
      if (seenBefore < content.length) await log.write(content.subarray(seenBefore));
    };
    for await (const { stream, content } of output) {
      if (stream === 'protocol') {
        for (const event of protocol.read(content).map((each) => maskedEvent(each, environment.mask))) {
          await progress.add(event);
          if (event.event === 'finished') finished = event;
        }
        continue;
      }
      await store(mask.write(content));
    }
    await store(mask.end());
    clearInterval(flushing);
    await Promise.all([log.close(), progress.flush()]);
    return outcomeOf(await executor.wait(containerName(run.id)), finished, timeout.expired(), execution);
  } finally {
    clearInterval(flushing);
    timeout.cancel();
  }
}

/** With every text that may hold a secret masked. */
function maskedEvent(event: ShimEvent, mask: Mask): ShimEvent {
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => [
      name,
      typeof value === 'string' && name !== 'event' ? mask.text(value) : value,
    ]),
  ) as ShimEvent;
}

function endAfterTimeout(execution: Execution) {
  let expired = false;
  let leaveOff = () => clearTimeout(timer);
  const timer = setTimeout(() => {
    expired = true;
    leaveOff = interrupt(execution, 'a run that reached its timeout');
  }, execution.run.remainingMs);
  return { expired: () => expired, cancel: () => leaveOff() };
}

function outcomeOf(
  end: ContainerEnd | null,
  finished: Extract<ShimEvent, { event: 'finished' }> | undefined,
  timedOut: boolean,
  { run, context }: Execution,
): Outcome {
  if (end?.outOfMemory && finished?.exit_code !== 0) {
    const limitMb = containerSpec(run, context.config).memoryMb;
    return { kind: 'out_of_memory', limitMb, exitCode: end.exitCode };
  }
  // A run that came to its end while the signal was on its way has ended well.
  if (timedOut && (finished === undefined || finished.interrupted)) {
    return { kind: 'timed_out', afterSeconds: run.settings.timeoutSeconds };
  }
  // Somebody else's SIGINT or SIGTERM: dbt's half a result is not the run's.
  if (finished?.interrupted) return { kind: 'killed', exitCode: end?.exitCode ?? finished.exit_code };
  if (finished !== undefined) return { kind: 'exited', exitCode: finished.exit_code, error: finished.error };
  return end === null ? { kind: 'container_lost' } : { kind: 'killed', exitCode: end.exitCode };
}
