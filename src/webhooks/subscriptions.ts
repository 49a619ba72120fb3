import { randomBytes, randomUUID } from 'node:crypto';
import { webhookUrlProblem } from '../addresses.ts';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import type { Database, Transaction } from '../db.ts';
import { AppError, invalidField } from '../errors.ts';
import { sealedFor } from './record-delivery.ts';
import { runEvents, testEventBody } from './run-event.ts';
import { insertDelivery } from './store.ts';
import {
  newSubscriptionSecret,
  openSubscriptionSecret,
  sealSubscriptionSecret,
} from './subscription-secret.ts';
import {
  countSubscriptions,
  findSubscription,
  insertSubscription,
  listSubscriptions,
  lockSubscription,
  lockSubscriptions,
  markSubscriptionDeleted,
  updateSubscription,
  type StoredSubscription,
} from './subscription-store.ts';
import { eventIdOf } from './tell-subscribers.ts';

/** Each costs every run's end something. */
const maxSubscriptions = 100;

export interface Subscription extends StoredSubscription {
  id: string;
  createdAt: Date;
  updatedAt: Date;
  /** What the receiver answered last, to whatever it was sent. */
  lastStatusCode: number | null;
}

/** `secret`: what its webhooks are signed with. It is shown this once. */
export async function createSubscription(
  { db, secrets, config }: Context,
  principal: Principal,
  wanted: StoredSubscription,
): Promise<Subscription & { secret: string }> {
  const { organizationId } = principal;
  requireReachable(wanted.url, config.DCTL_WEBHOOK_ALLOW_CIDRS);
  const id = `wsu_${randomBytes(16).toString('hex')}`;
  const secret = newSubscriptionSecret();
  const made = await db.$transaction(async (tx) => {
    await lockSubscriptions(tx, organizationId);
    if ((await countSubscriptions(tx, organizationId)) >= maxSubscriptions) {
      throw new AppError(
        'conflict',
        `There are ${maxSubscriptions} webhook subscriptions already. Delete one that is not needed any more.`,
      );
    }
    const sealed = sealSubscriptionSecret(id, secret, secrets);
    const subscription = await insertSubscription(tx, { ...wanted, id, organizationId, secret: sealed });
    await recordAudit(tx, principal, 'webhook_subscription.created', subjectOf(id), { name: wanted.name });
    return subscription;
  });
  return { ...view(made), secret };
}

/** In place of all that it was; its secret stays. */
export async function changeSubscription(
  { db, config }: Context,
  principal: Principal,
  id: string,
  change: (tx: Transaction, current: Subscription) => Promise<StoredSubscription>,
): Promise<Subscription> {
  return db.$transaction(async (tx) => {
    await lockSubscription(tx, id);
    const current = await requireSubscription(tx, principal, id);
    const wanted = await change(tx, view(current));
    if (wanted.url !== current.url) requireReachable(wanted.url, config.DCTL_WEBHOOK_ALLOW_CIDRS);
    const changed = await updateSubscription(tx, id, wanted);
    await recordAudit(tx, principal, 'webhook_subscription.changed', subjectOf(id), { name: wanted.name });
    return view(changed);
  });
}

/** What is recorded by now is sent all the same; its deliveries stay readable. */
export async function deleteSubscription({ db }: Context, principal: Principal, id: string): Promise<void> {
  await db.$transaction(async (tx) => {
    await lockSubscription(tx, id);
    const { name } = await requireSubscription(tx, principal, id);
    await markSubscriptionDeleted(tx, id);
    await recordAudit(tx, principal, 'webhook_subscription.deleted', subjectOf(id), { name });
  });
}

export async function getSubscription(
  { db }: Context,
  principal: Principal,
  id: string,
): Promise<Subscription> {
  return view(await requireSubscription(db, principal, id));
}

export async function subscriptionsOf(
  { db }: Context,
  { organizationId }: Principal,
  page: { limit: number; offset: number },
): Promise<{ subscriptions: Subscription[]; total: number }> {
  const [rows, total] = await Promise.all([
    listSubscriptions(db, organizationId, page),
    countSubscriptions(db, organizationId),
  ]);
  return { subscriptions: rows.map(view), total };
}

/** Tells its receiver of a run that never was, also while it is switched off. Returns the delivery's id. */
export async function testSubscription(
  { db, secrets, doorbell }: Context,
  principal: Principal,
  id: string,
  accountNumber: number,
): Promise<string> {
  const deliveryId = randomUUID();
  await db.$transaction(async (tx) => {
    const subscription = await requireSubscription(tx, principal, id);
    const { name: subscriptionName, url, eventTypes } = subscription;
    const event = runEvents.find((each) => eventTypes.includes(each)) ?? 'job.run.completed';
    const ids = { eventId: eventIdOf(deliveryId), subscriptionId: id, subscriptionName, at: new Date() };
    const secret = openSubscriptionSecret(subscription, secrets);
    await insertDelivery(tx, {
      id: deliveryId,
      runId: null,
      jobId: null,
      subscriptionId: id,
      kind: 'test',
      event,
      url,
      body: testEventBody(event, ids, accountNumber),
      ...sealedFor(deliveryId, { headers: {}, secret }, secrets),
      state: 'pending',
      requestedBy: principal.actor.name,
    });
    const subject = { kind: 'delivery', id: deliveryId };
    await recordAudit(tx, principal, 'webhook.tested', subject, { subscription_id: id });
  });
  await doorbell.ringDelivery(deliveryId);
  return deliveryId;
}

/** What somebody asks for to be sent once more, to where the subscription's webhooks go now. Returns the new delivery's id. */
export async function sendEventAgain(
  tx: Transaction,
  { secrets }: Pick<Context, 'secrets'>,
  principal: Principal,
  earlier: { id: string; runId: string | null; jobId: string | null; event: string; body: string },
  subscriptionId: string,
): Promise<string> {
  const subscription = await findSubscription(tx, principal.organizationId, subscriptionId);
  if (subscription === null) throw conflict('The delivery is of a webhook subscription that was deleted.');
  if (!subscription.active)
    throw conflict(
      'The delivery is of a webhook subscription that sends nothing now. Set its active to true first.',
    );
  const id = randomUUID();
  const { runId, jobId, event, body } = earlier;
  await insertDelivery(tx, {
    id,
    runId,
    jobId,
    subscriptionId,
    kind: 'sent_again',
    event,
    url: subscription.url,
    body,
    ...sealedFor(id, { headers: {}, secret: openSubscriptionSecret(subscription, secrets) }, secrets),
    state: 'pending',
    sentAgainOf: earlier.id,
    requestedBy: principal.actor.name,
  });
  return id;
}

/** Refuses ids of other organizations like unknown ones. */
async function requireSubscription(db: Database | Transaction, { organizationId }: Principal, id: string) {
  const found = await findSubscription(db, organizationId, id);
  if (found === null) throw noSuchSubscription();
  return found;
}

export function noSuchSubscription(): AppError {
  return new AppError('not_found', 'There is no such webhook subscription.');
}

function requireReachable(url: string, allowCidrs: Parameters<typeof webhookUrlProblem>[1]): void {
  const signed = 'what a subscription sends is signed with its hmac_secret, and has no sign-in of its own';
  const problem = webhookUrlProblem(url, allowCidrs, signed);
  if (problem !== null) throw invalidField('/client_url', `client_url: ${problem}`);
}

type Stored = NonNullable<Awaited<ReturnType<typeof findSubscription>>>;

function view(stored: Stored): Subscription {
  const { id, name, description, url, eventTypes, jobIds, active, createdAt, updatedAt, deliveries } = stored;
  const lastStatusCode = deliveries[0]?.tries[0]?.statusCode ?? null;
  return { id, name, description, url, eventTypes, jobIds, active, createdAt, updatedAt, lastStatusCode };
}

const subjectOf = (id: string) => ({ kind: 'webhook_subscription', id });
const conflict = (detail: string) => new AppError('conflict', detail);
