import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../src/config.ts';
import type { Context } from '../src/context.ts';
import { patiently } from '../src/db.ts';
import { nextStep } from '../src/webhooks/attempt.ts';
import { mergeHeaders } from '../src/webhooks/headers.ts';
import { airflowApi } from '../src/webhooks/payload.ts';
import { openDelivery, type OpenDelivery } from '../src/webhooks/record-delivery.ts';
import { signatureHeaders } from '../src/webhooks/sign.ts';
import { beginTry, endDelivery, endTry, takeDelivery } from '../src/webhooks/store.ts';
import { postOnce } from './safe-fetch.ts';

/**
 * Sends a recorded webhook: at most once, with at most one retry. A worker that dies on the way leaves the delivery
 * `sending`; once a try was begun, the sweeper calls it `unknown` later, and nobody ever sends it again by itself.
 */
export async function deliverWebhook(context: Context, deliveryId: string): Promise<void> {
  const { db, secrets, config, log, metrics } = context;
  const taken = await takeDelivery(db, deliveryId);
  if (taken === null) return;
  const delivery = openDelivery(taken, secrets);
  const receiver = {
    knowsRepeats: airflowApi(delivery.url) !== null,
    toldBefore: taken.kind === 'sent_again',
    retryAfterMs: config.DCTL_WEBHOOK_RETRY_SECONDS * 1_000,
  };
  // What the receiver answered, and the retry it is owed, must outlive an outage of the database.
  const patience = { forMs: halfSentSeconds(config) * 1_000 };

  for (let number = 1; ; number += 1) {
    if (!(await patiently(() => beginTry(db, taken, number), patience))) {
      log.warn(
        { delivery: deliveryId, run: taken.runId, tries: number - 1 },
        'a webhook was given up meanwhile',
      );
      return;
    }
    const outcome = await send(context, delivery);
    const step = nextStep(outcome, number, receiver);
    const end = {
      statusCode: 'status' in outcome ? outcome.status : null,
      durationMs: 'durationMs' in outcome ? Math.round(outcome.durationMs) : null,
      answer: 'answer' in outcome ? outcome.answer : null,
      result: outcome.kind,
      explanation: step.why,
    };
    if (end.durationMs !== null)
      metrics.deliveryTries.observe({ result: end.result }, end.durationMs / 1_000);
    await patiently(() => endTry(db, deliveryId, number, end), patience);
    const { state } = step;
    if (state !== 'retry') {
      await patiently(() => endDelivery(db, deliveryId, state), patience);
      metrics.deliveriesEnded.inc({ state });
      log.info({ delivery: deliveryId, run: taken.runId, state, tries: number }, 'webhook ended');
      return;
    }
    await delay(step.retryAfterMs);
  }
}

/** Longer than a delivery with its retry takes, by the time after which a silent worker is taken for dead. */
export function halfSentSeconds(config: Config): number {
  return (
    2 * config.DCTL_WEBHOOK_TIMEOUT_SECONDS + config.DCTL_WEBHOOK_RETRY_SECONDS + config.DCTL_LEASE_SECONDS
  );
}

function send({ config }: Context, delivery: OpenDelivery) {
  const body = Buffer.from(delivery.body);
  const signed = signatureHeaders({
    deliveryId: delivery.id,
    event: delivery.event,
    sentAt: new Date(),
    body,
    secrets: [delivery.secret],
  });
  return postOnce({
    url: delivery.url,
    headers: mergeHeaders(delivery.headers, signed),
    body,
    allowCidrs: config.DCTL_WEBHOOK_ALLOW_CIDRS,
    timeoutMs: config.DCTL_WEBHOOK_TIMEOUT_SECONDS * 1_000,
    hide: credentialsIn(delivery.headers),
  });
}

/** What a receiver that repeats our headers in its answer must not show to readers of the delivery. */
function credentialsIn(headers: Record<string, string>): string[] {
  const values = Object.values(headers).flatMap((value) => [value, ...value.split(' ').slice(1)]);
  const asShown = values.flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]);
  // Longest first: masking a part would leave the rest of the whole readable.
  return [...new Set(asShown)].toSorted((a, b) => b.length - a.length);
}
