import { randomUUID } from 'node:crypto';
import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { sealedFor } from './record-delivery.ts';
import { runEventBody, type RunEvent } from './run-event.ts';
import { insertNewDeliveries, type NewDelivery } from './store.ts';
import { findRunEvent, findSubscribers } from './subscription-store.ts';
import { openSubscriptionSecret } from './subscription-secret.ts';

/**
 * Records what a run tells its organization's subscriptions, in the transaction in which that happens. Each hears an
 * event of a run once, whoever tells of it twice. `held`: those that are not to be sent before what the run left can be
 * read.
 *
 * @returns the ids of what may be sent at once
 */
export async function tellSubscribers(
  tx: Transaction,
  { secrets, log }: Pick<Context, 'secrets' | 'log'>,
  run: { id: string; jobId: string; organizationId: string },
  events: readonly RunEvent[],
  { held = [] }: { held?: readonly RunEvent[] } = {},
): Promise<string[]> {
  const subscribers = await findSubscribers(tx, run, events);
  if (subscribers.length === 0) return [];
  const told = await findRunEvent(tx, run.id);
  const at = new Date();
  const deliveries = subscribers.flatMap((subscriber): NewDelivery[] => {
    const secret = secretOf(subscriber);
    if (secret === null) return [];
    const { id: subscriptionId, name: subscriptionName, url, eventTypes } = subscriber;
    return events
      .filter((event) => eventTypes.includes(event))
      .map((event) => {
        const id = randomUUID();
        const ids = { eventId: eventIdOf(id), subscriptionId, subscriptionName, at };
        return {
          id,
          runId: run.id,
          jobId: run.jobId,
          subscriptionId,
          kind: 'run_event',
          event,
          url,
          body: runEventBody(event, ids, told),
          ...sealedFor(id, { headers: {}, secret }, secrets),
          state: held.includes(event) ? 'held' : 'pending',
        };
      });
  });
  const recorded = new Set(await insertNewDeliveries(tx, deliveries));
  return deliveries.filter(({ id, state }) => state === 'pending' && recorded.has(id)).map(({ id }) => id);

  /** A run must go on all the same where this process has another key. */
  function secretOf({ id, secret }: { id: string; secret: string }): string | null {
    try {
      return openSubscriptionSecret({ id, secret }, secrets);
    } catch (error) {
      log.error(
        { error, subscription: id },
        'a webhook is not sent: its secret was sealed with another DCTL_SECRET_KEY',
      );
      return null;
    }
  }
}

export function eventIdOf(deliveryId: string): string {
  return `wev_${deliveryId.replaceAll('-', '')}`;
}
