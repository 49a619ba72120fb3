import type { Context } from '../src/context.ts';
import { finishRun } from '../src/runs/finish.ts';
import { claimRun, maxClaims, releaseLease, renewLease, type ClaimedRun } from '../src/runs/lease.ts';
import type { Outcome } from '../src/runs/status.ts';
import { collectArtifacts } from './collect-artifacts.ts';
import { containerName } from './dbt/container-spec.ts';
import { execute } from './execute.ts';
import type { Executor } from './executors/executor.ts';
import { LeaseLost } from './log-writer.ts';
import { openEnvironment } from './run-environment.ts';

export interface Workplace {
  context: Context;
  executor: Executor;
  shimTar: Buffer;
  /** Aborts when the worker stops: containers stay, their runs are left to others. */
  stopping: AbortSignal;
}

/** A run's whole way through a worker: claim, execute, collect, finish, clean up. */
export async function processRun(workplace: Workplace, runId: string): Promise<void> {
  const { context, executor } = workplace;
  const { config, db, log } = context;
  if (workplace.stopping.aborted) return;
  const run = await claimRun(db, runId, {
    name: config.DCTL_WORKER_NAME,
    leaseSeconds: config.DCTL_LEASE_SECONDS,
  });
  if (run === null) return;
  log.info({ run: run.id, fence: run.fence }, run.launchedAt === null ? 'run claimed' : 'run taken over');

  const lease = keepLease(workplace, run);
  try {
    const environment = await openEnvironment(context, run);
    const outcome: Outcome =
      run.fence > maxClaims
        ? { kind: 'gave_up', claims: maxClaims }
        : await execute({ ...workplace, run, environment, letGo: lease.letGo });
    const name = containerName(run.id);
    if (!hasNoArtifacts.has(outcome.kind)) {
      await collectArtifacts(context, executor, run, environment.mask).catch((error: unknown) =>
        log.error({ error, run: run.id }, 'artifacts could not be collected'),
      );
    }
    if (await finishRun(context, run.lease, outcome)) {
      await executor
        .remove(name)
        .catch((error: unknown) =>
          log.warn({ error, run: run.id }, 'a container was not removed; the sweeper will'),
        );
    }
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    log.info({ run: run.id }, 'let go of a run');
    // Taken over at once, unless it is another worker's already. After any other error it waits for the lease to
    // run out: what was wrong is probably still wrong now.
    await releaseLease(db, run.lease);
  } finally {
    lease.stop();
  }
}

const hasNoArtifacts: ReadonlySet<Outcome['kind']> = new Set([
  'could_not_start',
  'container_lost',
  'gave_up',
]);

/** Renews the lease at a third of its time. `letGo` aborts when it is lost, or when the worker stops. */
function keepLease({ context, stopping }: Workplace, run: ClaimedRun) {
  const { config, db, log } = context;
  const lost = new AbortController();
  const renewing = setInterval(
    () => {
      renewLease(db, run.lease, config.DCTL_LEASE_SECONDS).then(
        (renewed) => renewed || lost.abort(),
        (error: unknown) => log.warn({ error, run: run.id }, 'a lease was not renewed'),
      );
    },
    (config.DCTL_LEASE_SECONDS * 1_000) / 3,
  );
  return { letGo: AbortSignal.any([lost.signal, stopping]), stop: () => clearInterval(renewing) };
}
