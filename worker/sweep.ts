import type { Context } from '../src/context.ts';
import { closeGatherings } from '../src/events/close-gatherings.ts';
import { forgetOldEvents } from '../src/events/forget-events.ts';
import { uploadsKey } from '../src/projects/deployment-key.ts';
import { clearOldRuns, forgetOldKeys } from '../src/runs/expire.ts';
import { findForgottenPreparations } from '../src/preparations/store.ts';
import { giveUpLostRuns } from '../src/runs/give-up-lost.ts';
import { findForgottenRuns } from '../src/runs/store.ts';
import { inTurn, repeat } from '../src/turns.ts';
import { findForgottenDeliveries, giveUpHalfSent } from '../src/webhooks/store.ts';
import { halfSentSeconds } from './deliver-webhook.ts';
import type { Executor } from './executors/executor.ts';
import {
  removeLeftoverContainers,
  removeLeftoverPreparing,
  removeLeftoverVolumes,
  removeLeftoverWarm,
} from './remove-leftovers.ts';
import { settleForgotten } from './settle-run.ts';
import { sweepSchedules } from './sweep-schedules.ts';

/** No upload and no file that is being written goes on for so long. */
const leftoverMs = 24 * 3_600 * 1_000;

/**
 * Looks for work that no message stands for any more, and rings again: runs that wait although their turn has come,
 * runs whose worker's lease has run out, webhooks nobody took. Webhooks left half-sent become `unknown`, or wait again
 * when nothing of them has left. Harmless to do twice: whoever answers the doorbell has to claim first.
 */
export async function sweep({ db, doorbell, config, log, metrics }: Context): Promise<void> {
  const givenUp = await giveUpHalfSent(db, halfSentSeconds(config));
  const unknown = givenUp.filter(({ state }) => state === 'unknown').length;
  if (unknown > 0) metrics.deliveriesEnded.inc({ state: 'unknown' }, unknown);
  const [forgottenRuns, forgottenDeliveries, waiting] = await Promise.all([
    findForgottenRuns(db, config.DCTL_SWEEP_SECONDS),
    findForgottenDeliveries(db, config.DCTL_SWEEP_SECONDS),
    doorbell.countWaiting(),
  ]);
  // While as many messages wait as would be rung, every worker is busy: more of them would only pile up.
  const runs = waiting.runs < forgottenRuns.length ? forgottenRuns : [];
  const deliveries = waiting.deliveries < forgottenDeliveries.length ? forgottenDeliveries : [];
  for (const id of runs) await doorbell.ringRun(id);
  for (const id of deliveries) await doorbell.ringDelivery(id);

  if (runs.length + deliveries.length + givenUp.length > 0) {
    log.info({ runs: runs.length, deliveries: deliveries.length, unknown }, 'swept');
  }
}

/** Likewise for preparations: those that wait for long, and those whose worker's lease has run out. */
async function sweepPreparations({ db, doorbell, config, log }: Context): Promise<void> {
  const forgotten = await findForgottenPreparations(db, config.DCTL_SWEEP_SECONDS);
  if (forgotten.length === 0 || (await doorbell.countWaiting()).preparations >= forgotten.length) return;
  for (const id of forgotten) await doorbell.ringPreparation(id);
  log.info({ preparations: forgotten.length }, 'swept');
}

/** Removes what is not kept any longer, and what processes that died have left. */
async function cleanUp(context: Context, signal: AbortSignal): Promise<void> {
  const runs = await clearOldRuns(context, signal);
  const events = await forgetOldEvents(context, signal);
  const keys = await forgetOldKeys(context);
  const files = await context.storage.removeLeftovers(uploadsKey, leftoverMs);
  if (runs + events + keys + files > 0) context.log.info({ runs, events, keys, files }, 'cleaned up');
}

/**
 * Sweeps every so often until the signal aborts: one worker at a time, and where it is about containers one of each
 * engine. An engine that doesn't answer holds up its own sweep only.
 */
export function sweepRegularly(context: Context, executor: Executor, signal: AbortSignal): void {
  const { DCTL_SWEEP_SECONDS: often, DCTL_CLEAN_UP_SECONDS: seldom } = context.config;
  const sweepAll = () => Promise.all([sweep(context), sweepPreparations(context)]);
  repeat(context, often, () => inTurn(context, 'sweep', sweepAll), signal);
  repeat(context, often, () => sweepSchedules(context), signal);
  repeat(context, often, () => closeGatherings(context), signal);
  repeat(context, often, () => giveUpLostRuns(context), signal);
  repeat(context, often, () => settleForgotten({ context, executor, stopping: signal }), signal);
  repeat(context, often, () => removeLeftoverContainers(context, executor), signal);
  repeat(context, often, () => removeLeftoverPreparing(context, executor), signal);
  repeat(context, often, () => removeLeftoverWarm(context, executor), signal);
  repeat(context, seldom, () => removeLeftoverVolumes(context, executor), signal);
  const cleanUpUntil = (lost: AbortSignal) => cleanUp(context, AbortSignal.any([signal, lost]));
  repeat(context, seldom, () => inTurn(context, 'clean-up', cleanUpUntil), signal);
}
