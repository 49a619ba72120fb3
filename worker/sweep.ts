import type { Context } from '../src/context.ts';
import { findForgottenRuns } from '../src/runs/store.ts';
import { findForgottenDeliveries, giveUpHalfSent } from '../src/webhooks/store.ts';

/** Longer than a delivery with its retry can take. */
const halfSentSeconds = 60;

/**
 * Looks for work that no message stands for any more, and rings again: runs that wait although their turn has come,
 * runs whose worker's lease has run out, webhooks nobody took. Webhooks left half-sent become `unknown`.
 * Harmless to do twice: whoever answers the doorbell has to claim first.
 */
export async function sweep({ db, doorbell, config, log }: Context): Promise<void> {
  const [runs, deliveries] = await Promise.all([
    findForgottenRuns(db, config.DCTL_SWEEP_SECONDS),
    findForgottenDeliveries(db, config.DCTL_SWEEP_SECONDS),
  ]);
  for (const id of runs) await doorbell.ringRun(id);
  for (const id of deliveries) await doorbell.ringDelivery(id);

  const givenUp = await giveUpHalfSent(db, halfSentSeconds);
  if (runs.length + deliveries.length + givenUp.length > 0) {
    log.info({ runs: runs.length, deliveries: deliveries.length, unknown: givenUp.length }, 'swept');
  }
}

/** Sweeps every so often until the signal aborts. */
export function sweepRegularly(context: Context, signal: AbortSignal): void {
  let sweeping = false;
  const timer = setInterval(() => {
    if (sweeping) return;
    sweeping = true;
    sweep(context)
      .catch((error: unknown) => context.log.warn({ error }, 'a sweep failed'))
      .finally(() => (sweeping = false));
  }, context.config.DCTL_SWEEP_SECONDS * 1_000);
  signal.addEventListener('abort', () => clearInterval(timer));
}
