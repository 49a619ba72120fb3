import { setTimeout as delay } from 'node:timers/promises';
import { parseOptions } from '../src/commands/parse-options.ts';
import { patiently } from '../src/db.ts';
import { forgetLaunch, markLaunched } from '../src/runs/lease.ts';
import { containerName, containerSpec, runMessage } from './dbt/container-spec.ts';
import type { Execution } from './execute.ts';
import {
  CouldNotStart,
  EngineAway,
  warmLabel,
  type FoundContainer,
  type Output,
} from './executors/executor.ts';
import { LeaseLost } from './log-writer.ts';
import { requestForNextTime } from './prepared-run.ts';
import { runFiles } from './run-files.ts';
import { isPreloadedFor } from './warm-pool.ts';

const engineRetryMs = 500;
/** A run whose containers end this often before they are told what to run has something in its way. */
const maxLaunches = 5;

/** How far the run's launch has come, as this worker knows it. */
export interface Launch {
  /** Whether the container may have been started, or be about to. */
  hasBegun: boolean;
  containerId: string | null;
  /** Whether that one was made ahead. */
  isWarm: boolean;
  /** The fence of the next launch, or the one under way. */
  fence: number;
  /** By this worker, in this claim. */
  times: number;
}

/** A run's container that has been started. `output`: where this worker has just done that. */
export interface Started {
  containerId: string;
  state: 'running' | 'ended';
  output: Output | null;
}

/**
 * Makes sure that the run's container is started: the one that is there, however long ago that was, else a new one.
 * Null when there was one and it is gone, or when the run was cancelled before.
 *
 * Two containers never execute one run. A container that was not started is removed without force, so the engine refuses
 * when it has been started meanwhile by a worker that was taken for dead; and that worker starts its container by its
 * id, so it finds nothing once that is removed.
 */
export async function ensureStarted(execution: Execution): Promise<Started | null> {
  const { executor, run, launch } = execution;
  if (launch.hasBegun || launch.fence > 1) {
    const found = await executor.find(launch.containerId ?? containerName(run.id));
    // The lease ran out without our noticing, and the run was launched anew.
    if (found !== null && Number(found.labels['dctl.fence'] ?? 0) > launch.fence) throw new LeaseLost();
    if (found === null && launch.hasBegun) return null;
    if (found !== null && !(await removeUnstarted(execution, found))) return adopt(execution, found);
  }
  const started = await launchAnew(execution);
  if (started !== null) prepareNextTime(execution);
  return started;
}

function prepareNextTime({ context, run, environment }: Execution): void {
  requestForNextTime(context, run, environment).catch((error: unknown) =>
    context.log.warn({ error, run: run.id }, 'a preparation could not be requested'),
  );
}

/** A container that ended without a message has run nothing: there may be another. */
export async function forgetContainer(execution: Execution, containerId: string): Promise<void> {
  const { context, executor, run, launch, letGo } = execution;
  // Noted first: should this worker die in between, the next one finds a container that it can follow or remove.
  const forget = () => forgetLaunch(context.db, run.lease, containerId);
  const forgotten = await patiently(forget, { forMs: Infinity, signal: letGo });
  if (forgotten === null) throw new LeaseLost();
  launch.fence = forgotten.fence;
  launch.containerId = null;
  launch.isWarm = false;
  launch.hasBegun = false;
  await executor.removeIdle(containerId);
}

/** False: it has been started. */
async function removeUnstarted(execution: Execution, found: FoundContainer): Promise<boolean> {
  const { executor, launch } = execution;
  if (found.state !== 'created') return false;
  if (launch.hasBegun) await forgetContainer(execution, found.containerId);
  else await executor.removeIdle(found.containerId);
  const now = await executor.find(found.containerId);
  return now === null || now.state === 'created';
}

/** Follows what an earlier worker has started, though nothing may say so by now. */
async function adopt(execution: Execution, found: FoundContainer): Promise<Started | null> {
  const { executor, launch } = execution;
  if (!launch.hasBegun && !(await mark(execution, found.containerId))) return null;
  launch.hasBegun = true;
  launch.containerId = found.containerId;
  launch.isWarm = found.labels[warmLabel] !== undefined;
  const state = (await executor.find(found.containerId))?.state;
  return state === undefined || state === 'created'
    ? null
    : { containerId: found.containerId, state, output: null };
}

async function launchAnew(execution: Execution): Promise<Started | null> {
  const { executor, run, environment, letGo, cancellation, launch } = execution;
  if (cancellation.by !== null) return null;
  if (launch.times === maxLaunches) {
    throw new CouldNotStart('could_not_start', 'The container ended before it was told what to run.');
  }
  launch.times += 1;
  const warm = launch.times === 1 ? await launchWarm(execution) : 'none';
  if (warm !== 'none') return warm;
  const { containerId } = await createPatiently(execution);
  let output: Output | null = null;
  try {
    if (letGo.aborted) throw new LeaseLost();
    // Cancelled meanwhile: nobody waits for this any more.
    if (cancellation.by !== null) return null;
    launch.hasBegun = true;
    launch.containerId = containerId;
    if (!(await mark(execution, containerId))) return null;
    output = await executor.start(
      containerId,
      runMessage(run, { ...environment, isPreloaded: false }),
      letGo,
    );
    return { containerId, state: 'running', output };
  } finally {
    // Refused when it runs all the same. What is left now is swept later.
    if (output === null) await executor.removeIdle(containerId).catch(() => undefined);
  }
}

/**
 * Tells a container that was made ahead what to run. Null: the run was cancelled. 'none': there is none for it. Should
 * this worker die before it has told it, its stdin ends: then it ends as every container that got no message.
 */
async function launchWarm(execution: Execution): Promise<Started | null | 'none'> {
  const { executor, run, environment, letGo, launch, warm } = execution;
  const { projectType, retryFrom, steps } = run.settings;
  // What a retry goes on from was put into none.
  if (projectType !== 'dbt' || retryFrom !== null) return 'none';
  const wanted = { fit: environment.fit, options: parseOptions(steps[0]?.argv ?? []) };
  const container = warm.take(wanted);
  if (container === null) return 'none';
  const { containerId } = container;
  let isTold = false;
  try {
    launch.hasBegun = true;
    launch.containerId = containerId;
    launch.isWarm = true;
    if (!(await mark(execution, containerId))) return null;
    // Looked at only now: from here on nobody removes it.
    if (container.hasEnded) {
      await forgetContainer(execution, containerId);
      return 'none';
    }
    const isPreloaded = isPreloadedFor(container, wanted);
    await container.send(runMessage(run, { ...environment, isPreloaded }));
    isTold = true;
  } finally {
    // Not removed: the run may turn out to have it. It ends by itself.
    if (!isTold) container.giveUp();
  }
  void executor.rename(containerId, containerName(run.id)).catch(() => undefined);
  return { containerId, state: 'running', output: container.output(letGo) };
}

/** False: somebody has cancelled the run, and it must not be started. */
async function mark(execution: Execution, containerId: string): Promise<boolean> {
  const { context, executor, run, environment, cancellation, letGo } = execution;
  const engineId = await executor.engineId();
  const preparationId = environment.sparesManifest ? (environment.prepared?.id ?? null) : null;
  const note = () => markLaunched(context.db, run.lease, { containerId, engineId, preparationId });
  const marked = await patiently(note, { forMs: Infinity, signal: letGo });
  if (marked === null) throw new LeaseLost();
  cancellation.begin(marked.cancelledBy);
  return marked.cancelledBy === null;
}

/** An engine that restarts is waited for: else one worker would end a whole queue of runs meanwhile. */
async function createPatiently(execution: Execution): Promise<{ containerId: string }> {
  const { context, executor, shimTar, run, environment, letGo, launch } = execution;
  const { config } = context;
  const spec = containerSpec({ ...run, fence: launch.fence }, config);
  for (const startedAt = performance.now(); ; await delay(engineRetryMs)) {
    try {
      return await executor.create(spec, runFiles(context, run.deploymentId, { shimTar, ...environment }));
    } catch (error) {
      const isAway = error instanceof CouldNotStart && error.reason === 'runtime_unavailable';
      const waitedMs = performance.now() - startedAt;
      if (!isAway || letGo.aborted || waitedMs > config.DCTL_ENGINE_PATIENCE_SECONDS * 1_000) throw error;
    }
    // The engine went away when the container was made, and its files were not yet in it.
    await removeHalfMade(execution, spec.name);
  }
}

async function removeHalfMade({ executor, launch }: Execution, name: string): Promise<void> {
  try {
    const found = await executor.find(name);
    const isOurs = found?.state === 'created' && found.labels['dctl.fence'] === String(launch.fence);
    if (isOurs) await executor.removeIdle(found.containerId);
  } catch (error) {
    if (!(error instanceof EngineAway)) throw error;
  }
}
