import type { Context } from '../src/context.ts';
import { withLogFields } from '../src/log.ts';
import { patiently } from '../src/db.ts';
import { beginRun } from '../src/runs/begin-run.ts';
import { cancellationOf } from '../src/runs/cancel.ts';
import { finishRun } from '../src/runs/finish.ts';
import { maxClaims, releaseLease, renewLease, type ClaimedRun } from '../src/runs/lease.ts';
import type { Outcome } from '../src/runs/status.ts';
import { Cancellation } from './cancellation.ts';
import { execute, type Claim, type Ended } from './execute.ts';
import type { Executor } from './executors/executor.ts';
import { LeaseLost } from './log-writer.ts';
import type { Mask } from './masking.ts';
import { openEnvironment } from './run-environment.ts';
import { removeContainer, settleRun } from './settle-run.ts';
import type { WarmPool } from './warm-pool.ts';

export interface Workplace {
  context: Context;
  executor: Executor;
  shimTar: Buffer;
  /** Containers that were made ahead. */
  warm: WarmPool;
  /** Aborts when the worker stops: containers stay, their runs are left to others. */
  stopping: AbortSignal;
  /** The ids of the runs that this worker has. */
  atWork: Set<string>;
  /** Runs of this worker that have ended, and of which something is left to do. */
  settling: Set<Promise<void>>;
}

/**
 * A run's whole way through a worker: claim, execute, finish. What is left to do then, storing its artifacts and removing
 * its container, goes on by the side while the next one begins.
 */
export async function processRun(workplace: Workplace, runId: string): Promise<void> {
  const { config, metrics } = workplace.context;
  // Its lease may have run out while Postgres was away: it is renewed now, unless somebody else has the run.
  if (workplace.stopping.aborted || workplace.atWork.has(runId)) return;
  const run = await beginRun(workplace.context, runId, {
    name: config.DCTL_WORKER_NAME,
    leaseSeconds: config.DCTL_LEASE_SECONDS,
    engineId: await workplace.executor.engineId(),
  });
  if (run === null) return;
  if (run.fence === 1) metrics.runWaits.observe(run.waitedSeconds);
  metrics.runsAtWork.inc();
  workplace.atWork.add(run.id);
  workplace.warm.runsAtWork(workplace.atWork.size);
  await withLogFields({ run: run.id }, () => processClaimed(workplace, run)).finally(() => {
    workplace.atWork.delete(run.id);
    workplace.warm.runsAtWork(workplace.atWork.size);
    metrics.runsAtWork.dec();
  });
  // Else they would pile up where they take longer than the runs.
  while (workplace.settling.size > config.DCTL_WORKER_CONCURRENCY) await Promise.race(workplace.settling);
}

async function processClaimed(workplace: Workplace, run: ClaimedRun): Promise<void> {
  const { context } = workplace;
  const { log } = context;
  log.info({ fence: run.fence }, run.launchedAt === null ? 'run claimed' : 'run taken over');

  const lease = keepLease(workplace, run);
  const { letGo } = lease;
  try {
    const over = settledBefore(run) ?? (await executeClaimed(workplace, run, lease));
    const { outcome, endedAt, mask } = over;
    if (await finishRun(context, run.lease, outcome, { endedAt, hasArtifacts: mask !== null, letGo })) {
      const settling =
        mask === null ? removeContainer(workplace, over.run) : settleRun(workplace, over.run, mask);
      workplace.settling.add(settling);
      void settling.finally(() => workplace.settling.delete(settling));
    }
  } catch (error) {
    if (!(error instanceof LeaseLost || letGo.aborted)) throw error;
    log.info({ run: run.id }, 'let go of a run');
    await letOthersHave(workplace, run);
  } finally {
    lease.stop();
  }
}

/**
 * Taken over at once, unless it is another worker's already. After any other error a run waits for the lease to run out:
 * what was wrong is probably still wrong now.
 */
async function letOthersHave({ context }: Workplace, run: ClaimedRun): Promise<void> {
  const { db, doorbell, log } = context;
  try {
    await releaseLease(db, run.lease);
    await doorbell.ringRun(run.id);
  } catch (error) {
    log.warn({ error, run: run.id }, 'a run was not released; its lease runs out');
  }
}

/** `run`: with the container it had. `mask`: for the artifacts it left; null: there are none. */
type Over = Ended & { run: ClaimedRun; mask: Mask | null };

/** The end of a run for which nothing is tried any more. */
function settledBefore(run: ClaimedRun): Over | null {
  const over = { endedAt: performance.now(), run, mask: null };
  if (run.fence > maxClaims) return { outcome: { kind: 'gave_up', claims: maxClaims }, ...over };
  if (run.cancelledBy !== null && run.launchedAt === null) {
    return { outcome: { kind: 'cancelled', by: run.cancelledBy, atWork: false }, ...over };
  }
  return null;
}

async function executeClaimed(
  workplace: Workplace,
  run: ClaimedRun,
  { letGo, cancellation }: Pick<Claim, 'letGo' | 'cancellation'>,
): Promise<Over> {
  const { context, executor } = workplace;
  const patience = { forMs: Infinity, signal: letGo };
  const environment = await patiently(() => openEnvironment(context, executor, run, letGo), patience);
  if ('problem' in environment) {
    const outcome: Outcome = {
      kind: 'could_not_start',
      reason: 'could_not_start',
      why: environment.problem,
    };
    return { outcome, endedAt: performance.now(), run, mask: null };
  }
  const { containerId, ...ended } = await execute({ ...workplace, run, environment, letGo, cancellation });
  const mask = hasArtifacts(ended.outcome) ? environment.mask : null;
  return { ...ended, run: { ...run, containerId }, mask };
}

function hasArtifacts(outcome: Outcome): boolean {
  if (outcome.kind === 'cancelled') return outcome.atWork;
  return outcome.kind !== 'could_not_start';
}

/**
 * Renews the lease at a third of its time. `letGo` aborts when it is lost, or when the worker stops. `cancellation`
 * begins when somebody cancels the run: at once, and should that message be missed, with the next renewal.
 */
function keepLease({ context, stopping }: Workplace, run: ClaimedRun) {
  const { changes, config, db, log } = context;
  const lost = new AbortController();
  const cancellation = new Cancellation();
  cancellation.begin(run.cancelledBy);
  let renewing = false;
  let again = false;
  const renew = async (): Promise<void> => {
    // While Postgres is away, one that waits and one after it are enough.
    again = renewing;
    if (renewing) return;
    renewing = true;
    try {
      const renewed = await renewLease(db, run.lease, config.DCTL_LEASE_SECONDS);
      if (renewed === null) lost.abort();
      else cancellation.begin(renewed.cancelledBy);
    } catch (error) {
      log.warn({ error, run: run.id }, 'a lease was not renewed');
    } finally {
      renewing = false;
    }
    if (again) await renew();
  };
  const leaseMs = config.DCTL_LEASE_SECONDS * 1_000;
  const regularly = setInterval(() => void renew(), leaseMs / 3);
  const watch = changes.watch(cancellationOf(run.id));
  const over = new AbortController();
  const listen = async () => {
    // The first time at once: somebody may have cancelled the run between its claim and this.
    for (; !over.signal.aborted; await watch.next(leaseMs)) await renew();
  };
  void listen();
  return {
    letGo: AbortSignal.any([lost.signal, stopping]),
    cancellation,
    stop() {
      over.abort();
      clearInterval(regularly);
      watch.close();
    },
  };
}
