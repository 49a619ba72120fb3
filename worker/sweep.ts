import type { Config } from '../src/config.ts';
import type { Context } from '../src/context.ts';
import { findForgottenRuns } from '../src/runs/store.ts';
import { findForgottenDeliveries, giveUpHalfSent } from '../src/webhooks/store.ts';

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

  const givenUp = await giveUpHalfSent(db, halfSentSeconds(config));
  if (runs.length + deliveries.length + givenUp.length > 0) {
    log.info({ runs: runs.length, deliveries: deliveries.length, unknown: givenUp.length }, 'swept');
  }
}

/** Longer than a delivery with its retry takes, by the time after which a silent worker is taken for dead. */
function halfSentSeconds(config: Config): number {
  return (
    2 * config.DCTL_WEBHOOK_TIMEOUT_SECONDS + config.DCTL_WEBHOOK_RETRY_SECONDS + config.DCTL_LEASE_SECONDS
  );
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
