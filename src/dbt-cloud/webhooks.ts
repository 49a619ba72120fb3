import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import type { Database, Transaction } from '../db.ts';
import { AppError, invalidField } from '../errors.ts';
import { getDelivery } from '../webhooks/deliveries.ts';
import {
  changeSubscription,
  createSubscription,
  getSubscription,
  subscriptionsOf,
  testSubscription,
  type Subscription,
} from '../webhooks/subscriptions.ts';
import type { WantedWebhook, webhookTested, WebhookView } from './webhook-schema.ts';
import { findJobsByNumber, findNumbersOfJobs } from './webhook-store.ts';

/** What whoever tries a webhook out waits beyond the time limit of a try. */
const patienceMs = 5_000;
const lookAgainMs = 100;

export async function listWebhooks(
  context: Context,
  principal: Principal,
  accountId: number,
  page: { limit: number; offset: number },
): Promise<{ webhooks: WebhookView[]; total: number }> {
  const { subscriptions, total } = await subscriptionsOf(context, principal, page);
  return { webhooks: await views(context, accountId, subscriptions), total };
}

export async function getWebhook(context: Context, principal: Principal, accountId: number, id: string) {
  return view(context, accountId, await getSubscription(context, principal, id));
}

/** The one answer that shows its secret. */
export async function createWebhook(
  context: Context,
  principal: Principal,
  accountId: number,
  wanted: WantedWebhook,
): Promise<WebhookView> {
  const jobIds = await jobsOf(context.db, principal, wanted, []);
  const { secret, ...made } = await createSubscription(context, principal, stored(wanted, jobIds));
  return { ...(await view(context, accountId, made)), hmac_secret: secret };
}

/** The whole is replaced: what is left out is as if it were new. */
export async function replaceWebhook(
  context: Context,
  principal: Principal,
  accountId: number,
  id: string,
  wanted: WantedWebhook,
): Promise<WebhookView> {
  const changed = await changeSubscription(context, principal, id, async (tx, current) =>
    stored(wanted, await jobsOf(tx, principal, wanted, current.jobIds)),
  );
  return view(context, accountId, changed);
}

/** Sends a test and waits for what becomes of it; `signal`: nobody wants to know any more. */
export async function testWebhook(
  context: Context,
  principal: Principal,
  { accountId, id, isGet }: { accountId: number; id: string; isGet: boolean },
  signal: AbortSignal,
): Promise<z.input<typeof webhookTested>> {
  if (isGet && principal.actor.kind === 'user') {
    throw new AppError('method_not_allowed', 'POST to this address: only clients with a token may GET it.', {
      headers: { Allow: 'POST' },
    });
  }
  const deliveryId = await testSubscription(context, principal, id, accountId);
  const limitMs = context.config.DCTL_WEBHOOK_TIMEOUT_SECONDS * 1_000 + patienceMs;
  const over = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  for (; !over.aborted; await delay(lookAgainMs, undefined, { signal: over }).catch(() => undefined)) {
    const { state, tries } = await getDelivery(context, principal, deliveryId);
    if (state === 'pending' || state === 'sending') continue;
    const last = tries.at(-1);
    return {
      verification_error: state === 'delivered' ? null : (last?.explanation ?? `The test is ${state}.`),
      verification_status_code: last?.status_code == null ? null : String(last.status_code),
    };
  }
  return {
    verification_error: `The test is still on its way. Ask GET /api/v1/deliveries/${deliveryId} for it.`,
    verification_status_code: null,
  };
}

function stored(
  { name, description, client_url: url, event_types: eventTypes, active }: WantedWebhook,
  jobIds: string[],
) {
  return { name, description: description ?? '', url, eventTypes, jobIds, active };
}

/** Our ids of the jobs that were named by number. One that it has already may have been deleted. */
async function jobsOf(
  db: Database | Transaction,
  { organizationId }: Principal,
  { job_ids: numbers }: WantedWebhook,
  had: string[],
): Promise<string[]> {
  if (numbers.length === 0) return [];
  const found = await findJobsByNumber(db, organizationId, numbers, had);
  const ids = new Map(found.map(({ id, number }) => [Number(number), id]));
  return numbers.map((number, index) => {
    const id = ids.get(number);
    if (id === undefined)
      throw invalidField(`/job_ids/${index}`, `There is no job ${number} in this account.`);
    return id;
  });
}

async function view(context: Context, accountId: number, subscription: Subscription): Promise<WebhookView> {
  const [shown] = await views(context, accountId, [subscription]);
  return shown!;
}

async function views(
  { db }: Context,
  accountId: number,
  subscriptions: Subscription[],
): Promise<WebhookView[]> {
  const jobIds = [...new Set(subscriptions.flatMap((each) => each.jobIds))];
  const found = jobIds.length === 0 ? [] : await findNumbersOfJobs(db, jobIds);
  const numbers = new Map(found.map(({ id, number }) => [id, String(number)]));
  return subscriptions.map((each) => ({
    id: each.id,
    account_id: accountId,
    account_identifier: `act_${accountId}`,
    name: each.name,
    description: each.description,
    job_ids: each.jobIds.flatMap((id) => numbers.get(id) ?? []),
    event_types: each.eventTypes,
    client_url: each.url,
    hmac_secret: null,
    active: each.active,
    created_at: each.createdAt.toISOString(),
    updated_at: each.updatedAt.toISOString(),
    http_status_code: String(each.lastStatusCode ?? 0),
  }));
}
