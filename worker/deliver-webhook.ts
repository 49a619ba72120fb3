import { setTimeout as delay } from 'node:timers/promises';
import { fieldAt } from '../src/conditions.ts';
import type { Config } from '../src/config.ts';
import type { Context } from '../src/context.ts';
import { patiently } from '../src/db.ts';
import { nextStep, type PostOutcome, type ReceiverTraits } from '../src/webhooks/attempt.ts';
import { headersOfHook, mergeHeaders } from '../src/webhooks/headers.ts';
import { credentialsIn, hiddenForms } from '../src/webhooks/hidden-forms.ts';
import { airflowApi } from '../src/webhooks/payload.ts';
import { openDelivery, type HookRequest, type OpenDelivery } from '../src/webhooks/record-delivery.ts';
import { signatureHeaders } from '../src/webhooks/sign.ts';
import { subscriptionSignature } from '../src/webhooks/subscription-secret.ts';
import {
  beginTry,
  endDelivery,
  endTry,
  setAside,
  takeDelivery,
  type TakenDelivery,
} from '../src/webhooks/store.ts';
import type { AirflowTokens } from './airflow-tokens.ts';
import { postOnce } from './safe-fetch.ts';

/**
 * Sends a recorded webhook: at most once, with at most one retry, or for a subscription several. A worker that dies on
 * the way leaves the delivery `sending`; once it had begun a try, the sweeper calls it `unknown` later, and nobody ever
 * sends it again by itself. What waits for a retry of a subscription is `pending`: nobody has it, and nothing is lost.
 */
export async function deliverWebhook(
  context: Context,
  tokens: AirflowTokens,
  deliveryId: string,
): Promise<void> {
  const { db, doorbell, secrets, config, log, metrics } = context;
  const taken = await takeDelivery(db, deliveryId);
  if (taken === null) return;
  const delivery = openDelivery(taken, secrets);
  const isOfSubscription = taken.subscriptionId !== null;
  const receiver = traitsOf(taken, delivery, config);
  // What the receiver answered, and the retry it is owed, must outlive an outage of the database.
  const patience = { forMs: halfSentSeconds(config) * 1_000 };

  for (let number = taken.triesBefore + 1; ; number += 1) {
    if (!(await patiently(() => beginTry(db, taken, number), patience))) {
      log.warn(
        { delivery: deliveryId, run: taken.runId, tries: number - 1 },
        'a webhook was given up meanwhile',
      );
      return;
    }
    const { outcome, note } = isOfSubscription
      ? { outcome: await sendEvent(context, delivery), note: '' }
      : await send(context, tokens, delivery);
    const step = nextStep(outcome, number, receiver);
    const end = {
      statusCode: 'status' in outcome ? outcome.status : null,
      durationMs: 'durationMs' in outcome ? Math.round(outcome.durationMs) : null,
      answer: 'answer' in outcome ? outcome.answer : null,
      result: outcome.kind,
      explanation: note + step.why,
    };
    if (end.durationMs !== null)
      metrics.deliveryTries.observe({ result: end.result }, end.durationMs / 1_000);
    const { state } = step;
    if (state === 'retry' && isOfSubscription) {
      await patiently(() => setAside(db, taken, number, end, step.retryAfterMs), patience);
      await doorbell.ringDelivery(deliveryId, step.retryAfterMs);
      return;
    }
    await patiently(() => endTry(db, deliveryId, number, end), patience);
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

function traitsOf(
  { kind, subscriptionId }: TakenDelivery,
  { url, request }: OpenDelivery,
  config: Config,
): ReceiverTraits {
  const pausesMs = [config.DCTL_WEBHOOK_RETRY_SECONDS * 1_000];
  const toldBefore = kind === 'sent_again';
  if (request !== null) return { knowsRepeats: namesDagRun(request), toldBefore, pausesMs };
  if (subscriptionId === null) {
    return { knowsRepeats: airflowApi(url) !== null, toldBefore, pausesMs };
  }
  // Whoever tries a subscription out waits for what comes of it.
  const pauses = kind === 'test' ? [] : config.DCTL_SUBSCRIPTION_RETRY_SECONDS;
  return { knowsRepeats: false, isPatient: true, pausesMs: pauses.map((seconds) => seconds * 1_000) };
}

/** Whether Airflow would answer 409 to the same once more. */
function namesDagRun({ url, body }: HookRequest): boolean {
  if (airflowApi(url) === null || body === null) return false;
  const given: unknown = JSON.parse(body);
  return fieldAt(given, 'dag_run_id') !== undefined;
}

/** In dbt Cloud's format. */
function sendEvent({ config }: Context, { url, body: text, secret }: OpenDelivery): Promise<PostOutcome> {
  const body = Buffer.from(text);
  return postOnce({
    url,
    headers: mergeHeaders({}, secret === null ? {} : subscriptionSignature(body, secret)),
    body,
    allowCidrs: config.DCTL_WEBHOOK_ALLOW_CIDRS,
    timeoutMs: config.DCTL_WEBHOOK_TIMEOUT_SECONDS * 1_000,
  });
}

/** `note`: sentences of what came before the outcome. */
type Sent = { outcome: PostOutcome; note: string };

/**
 * One try, in one time limit. Where a token is needed that includes fetching it, and where a kept one is refused (401)
 * fetching another and sending once more: a receiver that lets nobody in has accepted nothing.
 */
async function send({ config }: Context, tokens: AirflowTokens, delivery: OpenDelivery): Promise<Sent> {
  const allowCidrs = config.DCTL_WEBHOOK_ALLOW_CIDRS;
  const endsAt = performance.now() + config.DCTL_WEBHOOK_TIMEOUT_SECONDS * 1_000;
  const limits = () => ({ allowCidrs, timeoutMs: Math.max(1, endsAt - performance.now()) });
  const { auth } = delivery;
  if (auth === null) return { outcome: await post(delivery, {}, limits()), note: '' };

  const first = await tokens.tokenFor(auth, limits());
  if ('outcome' in first) return { ...first, note: '' };
  const outcome = await post(delivery, bearer(first.token), limits());
  if (outcome.kind !== 'answered' || outcome.status !== 401) return { outcome, note: '' };
  if (!first.wasKept) return { outcome, note: 'The token had been fetched for this very webhook. ' };

  const second = await tokens.renewed(auth, first.token, limits());
  if ('outcome' in second)
    return { ...second, note: 'The receiver answered 401: its token holds no longer. ' };
  return {
    outcome: await post(delivery, bearer(second.token), limits()),
    note: 'The receiver first answered 401: its token held no longer, so a new one was fetched and the webhook sent again at once. ',
  };
}

type Limits = { allowCidrs: Config['DCTL_WEBHOOK_ALLOW_CIDRS']; timeoutMs: number };

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

function post(delivery: OpenDelivery, signIn: Record<string, string>, limits: Limits): Promise<PostOutcome> {
  if (delivery.request !== null) return ask(delivery, delivery.request, signIn, limits);
  const body = Buffer.from(delivery.body);
  const { secret } = delivery;
  const signed = signatureHeaders({
    deliveryId: delivery.id,
    event: delivery.event,
    sentAt: new Date(),
    body,
    secrets: [secret, delivery.oldSecret].filter((each) => each !== null),
  });
  return postOnce({
    ...limits,
    url: delivery.url,
    headers: mergeHeaders(delivery.headers, { ...signed, ...signIn }),
    body,
    hide: hiddenForms(credentialsIn(Object.values({ ...delivery.headers, ...signIn }))),
  });
}

/** What a hook sends, as it was rendered. Whoever counts on getting it once knows a repeated one by its key. */
function ask(
  delivery: OpenDelivery,
  { method, url, body, hide }: HookRequest,
  signIn: Record<string, string>,
  limits: Limits,
): Promise<PostOutcome> {
  const headers = headersOfHook({ ...delivery.headers, ...signIn }, delivery.id, body !== null);
  return postOnce({
    ...limits,
    method,
    url,
    headers,
    body: body === null ? emptyBodyOf(method) : Buffer.from(body),
    hide: hiddenForms([...hide, ...credentialsIn(Object.values(signIn))]),
  });
}

/** Servers want to be told that a POST has none. */
const emptyBodyOf = (method: string) => (method === 'GET' || method === 'DELETE' ? null : Buffer.alloc(0));
