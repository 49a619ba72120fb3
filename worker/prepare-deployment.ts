import { setTimeout as delay } from 'node:timers/promises';
import { withLogFields } from '../src/log.ts';
import {
  claimPreparation,
  maxAttempts,
  renewPreparation,
  settlePreparation,
  type ClaimedPreparation,
  type PreparationEnd,
} from '../src/preparations/lease.ts';
import { withTargetOf } from '../src/jobs/steps-of-run.ts';
import { preparationKey } from '../src/preparations/stored-at.ts';
import { findStoredDigest } from '../src/preparations/store.ts';
import { deploymentKey } from '../src/projects/deployment-key.ts';
import { unnamedSpec } from './dbt/container-spec.ts';
import { variablesOfAnyRun } from './dbt/run-variables.ts';
import {
  CouldNotStart,
  EngineAway,
  installationLabel,
  preparationLabel,
  type ContainerSpec,
} from './executors/executor.ts';
import { hearPreparation, type HeardOfPreparation } from './hear-preparation.ts';
import { keepPrepared } from './keep-prepared.ts';
import type { Workplace } from './process-run.ts';
import { openBasis, type OpenedBasis } from './run-environment.ts';
import { runFiles } from './run-files.ts';

/** How long the engine may take to end a container that is told to. */
const killedWithinMs = 5_000;

/** Of the container in which a preparation is made under a lease. */
export function preparingName(leaseToken: string): string {
  return `dctl-prepare-${leaseToken}`;
}

/**
 * Installs a deployment's packages and parses its project, once for all runs of an environment and of options, in a
 * container like that of a run; without the environment's data, which is the runs' alone. What comes of it, or dbt's
 * words when it failed, is kept.
 */
export async function prepareDeployment(workplace: Workplace, id: string): Promise<void> {
  const { context, stopping } = workplace;
  if (stopping.aborted) return;
  const claimed = await claimPreparation(context.db, id, context.config.DCTL_LEASE_SECONDS);
  if (claimed === null) return;
  await withLogFields({ preparation: id, deployment: claimed.deploymentId }, () =>
    prepareClaimed(workplace, claimed),
  );
}

async function prepareClaimed(workplace: Workplace, claimed: ClaimedPreparation): Promise<void> {
  const { context, stopping } = workplace;
  const { db, doorbell, log, storage } = context;
  const lease = keepLease(workplace, claimed);
  let end: PreparationEnd;
  try {
    end = await madeIn(workplace, claimed, AbortSignal.any([lease.lost, stopping]));
  } catch (error) {
    const why = error instanceof CouldNotStart || error instanceof EngineAway ? error.message : null;
    if (!stopping.aborted) log.warn({ error }, 'a deployment could not be prepared');
    end = afterTry(claimed, { why: why ?? 'The worker could not prepare it; its log says why.', stopping });
  } finally {
    lease.stop();
  }
  const settled = await settlePreparation(db, claimed.lease, end);
  const digest = await findStoredDigest(db, claimed.id);
  if (!settled) {
    // Somebody else has it now, or its deployment's files were removed.
    const made = end.kind === 'ready' ? end.files.digest : null;
    if (made !== null && made !== digest) await storage.remove(`${preparationKey(claimed)}/${made}`);
    return log.info('let go of a preparation');
  }
  await storage.removeBut(preparationKey(claimed), digest ?? '');
  if (end.kind === 'again' && stopping.aborted) await doorbell.ringPreparation(claimed.id);
  if (end.kind === 'ready') log.info({ sizeBytes: end.files.sizeBytes }, 'a deployment was prepared');
  if (end.kind === 'failed') log.info('a deployment could not be prepared: its project is at fault');
}

/** It was spoiled by something else than the project. A worker that stops spoils nothing. */
function afterTry(
  { attempts }: ClaimedPreparation,
  { why, stopping }: { why: string; stopping: AbortSignal },
): PreparationEnd {
  if (stopping.aborted) return { kind: 'again', why: 'The worker was stopped.', counts: false };
  if (attempts < maxAttempts) return { kind: 'again', why, counts: true };
  return { kind: 'failed', why, parsedWith: null, dbtVersion: null, output: '' };
}

async function madeIn(
  { context, executor, shimTar, stopping }: Workplace,
  claimed: ClaimedPreparation,
  letGo: AbortSignal,
): Promise<PreparationEnd> {
  const { config, storage } = context;
  const { deploymentId, options, attempts, lease } = claimed;
  const nothing = { parsedWith: null, dbtVersion: null, output: '' };
  if (attempts > maxAttempts) {
    return { kind: 'failed', why: 'Every worker that prepared it died on the way.', ...nothing };
  }
  if (!(await storage.has(deploymentKey(deploymentId)))) {
    return { kind: 'failed', why: "The deployment's files were removed.", ...nothing };
  }
  const environment = withTargetOf(claimed.environment, options);
  const basis = await openBasis(context, executor, { ...claimed, environment });
  if ('problem' in basis) return { kind: 'failed', why: basis.problem, ...nothing };
  const { parsedWith } = basis;
  if (parsedWith !== null && parsedWith === claimed.parsedWith && claimed.hasManifest) {
    return { kind: 'unchanged' };
  }

  const spec = specOf(claimed, config);
  const { containerId } = await executor.create(
    spec,
    runFiles(context, deploymentId, { shimTar, files: basis.files, prepared: null, parsedWith }),
  );
  const timeout = AbortSignal.timeout(config.DCTL_PREPARE_TIMEOUT_SECONDS * 1_000);
  try {
    const until = AbortSignal.any([letGo, timeout]);
    const output = await executor.start(containerId, messageFor(options, basis, lease.token), until);
    const heard = await hearPreparation(output, basis.mask);
    if (letGo.aborted) return afterTry(claimed, { why: 'The worker lost it.', stopping });
    const told = { parsedWith, dbtVersion: heard.dbtVersion, output: heard.output };
    const failed = (why: string): PreparationEnd => ({ kind: 'failed', why, ...told });
    if (timeout.aborted) {
      await executor.signal(containerId, 'SIGKILL');
      return failed(`It took longer than ${config.DCTL_PREPARE_TIMEOUT_SECONDS} seconds.`);
    }
    const ended = await executor.wait(containerId);
    if (ended !== null && ended !== 'running' && ended.outOfMemory) {
      return failed(`It needed more memory than the ${spec.memoryMb} MB that a run has.`);
    }
    if (heard.finished === null) {
      return afterTry(claimed, { why: 'Its container ended before dbt did.', stopping });
    }
    if (heard.finished.exitCode !== 0) return failed(whyOf(heard.finished, basis));
    const kept = await keepPrepared(
      context,
      { executor, containerId, mask: basis.mask, readsRun: heard.readsRun },
      claimed,
    );
    return { kind: 'ready', ...kept, ...told };
  } finally {
    await removeSoon(executor, containerId);
  }
}

/** What the sweeper finds later must not keep what was made from being used. */
async function removeSoon(executor: Workplace['executor'], containerId: string): Promise<void> {
  await Promise.race([
    executor.remove(containerId).catch(() => undefined),
    delay(killedWithinMs, undefined, { ref: false }),
  ]);
}

function whyOf({ error }: NonNullable<HeardOfPreparation['finished']>, { mask }: OpenedBasis): string {
  return mask.text(error ?? 'dbt parse failed; its output says why.');
}

function specOf(claimed: ClaimedPreparation, config: Workplace['context']['config']): ContainerSpec {
  return {
    ...unnamedSpec(claimed, config),
    name: preparingName(claimed.lease.token),
    labels: { [preparationLabel]: claimed.id, [installationLabel]: claimed.installationId },
    dataVolume: null,
    yields: true,
  };
}

/** `mark`: is found in what depends on the run that it is parsed for. */
function messageFor(options: string[], { variables }: OpenedBasis, mark: string): string {
  const command = ['dbt', 'parse', ...options].join(' ');
  const steps = [{ command, argv: ['parse', ...options] }];
  return JSON.stringify({ steps, env: { ...variables, ...variablesOfAnyRun(mark) } });
}

/** Renews it at a third of its time. `lost` aborts when it is another's. */
function keepLease({ context }: Workplace, { lease }: ClaimedPreparation) {
  const { config, db, log } = context;
  const lost = new AbortController();
  const renew = () =>
    renewPreparation(db, lease, config.DCTL_LEASE_SECONDS).then(
      (isOurs) => {
        if (!isOurs) lost.abort();
      },
      (error: unknown) => log.warn({ error }, 'a lease was not renewed'),
    );
  const regularly = setInterval(() => void renew(), (config.DCTL_LEASE_SECONDS * 1_000) / 3);
  return { lost: lost.signal, stop: () => clearInterval(regularly) };
}
