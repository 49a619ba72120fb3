import type { Context } from '../src/context.ts';
import { patiently } from '../src/db.ts';
import { noteContainerGone, type ClaimedRun } from '../src/runs/lease.ts';
import { holdPending, takePending } from '../src/runs/pending-artifacts.ts';
import { recordArtifacts } from '../src/runs/progress.ts';
import { collectArtifacts } from './collect-artifacts.ts';
import { basisOf } from './dbt/basis.ts';
import { containerName } from './dbt/container-spec.ts';
import type { Executor } from './executors/executor.ts';
import { createMask, type Mask } from './masking.ts';
import { openBasis } from './run-environment.ts';

interface Workplace {
  context: Context;
  executor: Executor;
  /** Aborts when the worker stops: Postgres is not waited for any more. */
  stopping: AbortSignal;
}

/**
 * Stores what a run left whose end is recorded, and then removes its container. Where that does not come off, the
 * sweeper of some worker does it again.
 */
export async function settleRun(workplace: Workplace, run: ClaimedRun, mask: Mask): Promise<void> {
  const { context, executor } = workplace;
  try {
    await holding(workplace, run, async () => {
      // Its output has ended, but it may be on its way still.
      await executor.wait(nameOf(run));
      await collectArtifacts(context, executor, run, mask);
    });
  } catch (error) {
    context.log.warn({ error, run: run.id }, 'what a run left was not stored; the sweeper tries again');
    return;
  }
  await removeContainer(workplace, run);
}

export async function removeContainer({ context, executor }: Workplace, run: ClaimedRun): Promise<void> {
  try {
    await executor.remove(nameOf(run));
    await noteContainerGone(context.db, run.id);
  } catch (error) {
    context.log.warn({ error, run: run.id }, 'a container was not removed; the sweeper will');
  }
}

/** Runs that ended without that having come off: their worker died, or the engine was away. */
export async function settleForgotten(workplace: Workplace): Promise<void> {
  const { context, executor, stopping } = workplace;
  const { config, db, log } = context;
  while (!stopping.aborted) {
    const found = await takePending(db, {
      engineId: await executor.engineId(),
      leaseSeconds: config.DCTL_LEASE_SECONDS,
      lostSeconds: config.DCTL_WORKER_LOST_SECONDS,
    });
    if (found === null) return;
    const { run, isLate } = found;
    log.info({ run: run.id }, 'storing what a run left whose worker did not');
    const opened = await openBasis(context, executor, basisOf(run));
    const isReadable = !('problem' in opened);
    if (isReadable) await settleRun(workplace, run, opened.mask);
    if (isLate || !isReadable) await settleWithout(workplace, run);
  }
}

/**
 * For a run whose container nobody can be expected to read any more, or whose secrets nobody could mask: what is known
 * of its nodes, and then no more is waited for. Does nothing where all was stored by now.
 */
async function settleWithout(workplace: Workplace, run: ClaimedRun): Promise<void> {
  const { context } = workplace;
  const nothing = { collect: async () => null };
  try {
    if (!(await isPending(context, run))) return;
    await holding(workplace, run, () => collectArtifacts(context, nothing, run, createMask([])));
    context.log.warn({ run: run.id }, 'what a run left in its container was given up');
  } catch (error) {
    context.log.error({ error, run: run.id }, 'artifacts could not be collected');
    await recordArtifacts(context.db, run.id, []);
  }
}

async function isPending({ db }: Context, { id }: ClaimedRun): Promise<boolean> {
  const run = await db.run.findUnique({ where: { id }, select: { artifactsPending: true } });
  return run?.artifactsPending === true;
}

/** Keeps others from it meanwhile. */
async function holding(
  { context, stopping }: Workplace,
  run: ClaimedRun,
  work: () => Promise<void>,
): Promise<void> {
  const { config, db } = context;
  const leaseSeconds = config.DCTL_LEASE_SECONDS;
  const hold = () => void holdPending(db, run.id, leaseSeconds).catch(() => undefined);
  const timer = setInterval(hold, (leaseSeconds * 1_000) / 3);
  try {
    await patiently(work, { forMs: Infinity, signal: stopping });
  } finally {
    clearInterval(timer);
  }
}

function nameOf(run: ClaimedRun): string {
  return run.containerId ?? containerName(run.id);
}
