import type { Context } from '../src/context.ts';
import type { Database } from '../src/db.ts';
import { noteContainerGone } from '../src/runs/lease.ts';
import {
  findDeletedEnvironments,
  findRunsInContainers,
  findRunStates,
  getInstallationId,
} from '../src/runs/store.ts';
import { inTurn } from '../src/turns.ts';
import { findLiveLeases } from '../src/preparations/store.ts';
import type { Executor } from './executors/executor.ts';
import { preparingName } from './prepare-deployment.ts';

/**
 * Removes containers whose run has ended, or is not known here: their worker died, or the engine was away, before it
 * could. What another installation has on the same engine stays.
 */
export async function removeLeftoverContainers(context: Context, executor: Executor): Promise<void> {
  const { db, log } = context;
  // Listed first: of a container that is there, the run was recorded before.
  const containers = await executor.list();
  const isLeft = await leftoversOf(db, containers);
  const left = containers.filter(isLeft);
  await eachInTurn(context, executor, left, async ({ name, runId }) => {
    await executor.remove(name);
    await noteContainerGone(db, runId);
    log.info({ run: runId }, 'removed a container that was left behind');
  });
}

/** Removes containers of preparations, but for those that are made right now. */
export async function removeLeftoverPreparing(context: Context, executor: Executor): Promise<void> {
  const { db, log } = context;
  const containers = await executor.listPreparing();
  if (containers.length === 0) return;
  const leases = await findLiveLeases(
    db,
    containers.map(({ preparationId }) => preparationId),
  );
  const live = new Set([...leases.values()].map(preparingName));
  const ours = await getInstallationId(db);
  const left = containers.filter(({ name, installationId }) => installationId === ours && !live.has(name));
  await eachInTurn(context, executor, left, async ({ name }) => {
    await executor.remove(name);
    log.info({ container: name }, 'removed a container that was left behind');
  });
}

/** No container takes longer from its making to its start. */
const unstartedMs = 300_000;
/** A worker that is about to use one notices within that that it has ended. */
const endedMs = 2_000;

/**
 * Removes containers that were made ahead and serve nobody any more: their run has ended, or they have ended without one,
 * or were never started. One that runs and has no run is some worker's, or ends with its worker.
 */
export async function removeLeftoverWarm(context: Context, executor: Executor): Promise<void> {
  const { db, log } = context;
  const ours = await getInstallationId(db);
  // Listed first: one that is there without a run, and has ended, is never given to one.
  const containers = (await executor.listWarm()).filter(({ installationId }) => installationId === ours);
  if (containers.length === 0) return;
  const runs = await findRunsInContainers(
    db,
    containers.map(({ containerId }) => containerId),
  );
  const found = containers.map((each) => ({
    ...each,
    name: each.containerId,
    run: runs.get(each.containerId),
  }));
  const left = found.filter(({ run, state, createdAt }) => {
    if (run !== undefined) return run.isOver;
    return state === 'ended' || (state === 'created' && Date.now() - createdAt.getTime() > unstartedMs);
  });
  await eachInTurn(context, executor, left, async ({ containerId, run, state }) => {
    const isFresh = run === undefined && state === 'ended';
    if (isFresh && (await executor.msSinceEnd(containerId)) < endedMs) return;
    await executor.remove(containerId);
    if (run !== undefined) await noteContainerGone(db, run.id);
    log.info({ run: run?.id, container: containerId }, 'removed a container that was left behind');
  });
}

/**
 * Removes the data volumes of environments that were deleted, themselves or with their project; and what is left of the
 * work folders of containers that somebody removed without them. A volume in use stays, and so does one of an
 * environment that is not known here: what it holds is nowhere else.
 */
export async function removeLeftoverVolumes(context: Context, executor: Executor): Promise<void> {
  const { db, log } = context;
  const volumes = await executor.listVolumes();
  const ofRuns = volumes.filter((volume) => volume.runId !== null) as ({ runId: string } & Volume)[];
  const isLeft = await leftoversOf(db, ofRuns);
  const ofEnvironments = volumes.filter(({ runId }) => runId === null);
  const deleted = new Set(
    await findDeletedEnvironments(
      db,
      ofEnvironments.flatMap(({ environmentId }) => environmentId ?? []),
    ),
  );
  const installationId = await getInstallationId(db);
  const isOurs = (volume: Volume) => [installationId, null].includes(volume.installationId);
  const preparing = await findLiveLeases(
    db,
    volumes.flatMap(({ preparationId }) => preparationId ?? []),
  );
  const isOfPast = ({ preparationId }: Volume) => preparationId !== null && !preparing.has(preparationId);
  const left = [
    ...volumes.filter(({ isWarm, installationId: whose }) => isWarm && whose === installationId),
    ...volumes.filter((volume) => volume.installationId === installationId && isOfPast(volume)),
    ...ofRuns.filter(isLeft),
    ...ofEnvironments.filter((volume) => isOurs(volume) && deleted.has(volume.environmentId ?? '')),
  ];
  await eachInTurn(context, executor, left, async ({ name, environmentId }) => {
    if (await executor.removeVolume(name))
      log.info({ volume: name, environment: environmentId }, 'removed a volume that was left behind');
  });
}

type Volume = Awaited<ReturnType<Executor['listVolumes']>>[number];

/** Without the name of an installation it may be anybody's: then only the end of a run that is known here counts. */
async function leftoversOf(
  db: Database,
  found: { runId: string }[],
): Promise<(each: { runId: string; installationId: string | null }) => boolean> {
  if (found.length === 0) return () => false;
  const states = await findRunStates(
    db,
    found.map(({ runId }) => runId),
  );
  const ours = await getInstallationId(db);
  return ({ runId, installationId }) => {
    if (installationId === null) return states.get(runId) === 'ended';
    return installationId === ours && states.get(runId) !== 'open';
  };
}

/** One worker of an engine at a time. One that cannot be removed keeps none of the others. */
async function eachInTurn<Left extends { name: string }>(
  context: Context,
  executor: Executor,
  left: Left[],
  remove: (each: Left) => Promise<void>,
): Promise<void> {
  if (left.length === 0) return;
  const engine = (await executor.engineId()) ?? context.config.DCTL_WORKER_NAME;
  await inTurn(context, `leftovers of ${engine}`, async (signal) => {
    for (const each of left) {
      if (signal.aborted) return;
      await remove(each).catch((error: unknown) =>
        context.log.warn({ error, name: each.name }, 'what was left behind could not be removed'),
      );
    }
  });
}
