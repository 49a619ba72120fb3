import { randomUUID } from 'node:crypto';
import type { Transaction } from '../db.ts';
import type { Secrets } from '../secrets.ts';
import { sameBody, webhookBody, type WebhookSubject } from './payload.ts';
import { insertDelivery, type NewDelivery } from './store.ts';
import { openAuth, sealAuth, type AirflowAuth } from './webhook-auth.ts';

export interface WebhookTarget {
  url: string;
  secret: string;
  /** Signs as well. Left out or null: there is none. */
  oldSecret?: string | null;
  headers: Record<string, string>;
  /** Left out or null: nothing but the headers. */
  auth?: AirflowAuth | null;
  /** `completed`, `partial`, `failed`; empty means all. */
  events: string[];
}

/** The parts of a webhook that say whose run it was. */
export type WebhookSubjectOf = Pick<WebhookSubject, 'job' | 'project' | 'organization'>;

/** The run that has ended. */
export interface ToldRun {
  id: string;
  jobId: string;
  status: string;
  triggeredBy: string;
  /** Null: it was cancelled before it began. */
  startedAt: Date | null;
  finishedAt: Date;
  durationMs: number | null;
  commandOverride: string | null;
  errorMessage: string | null;
  cause: string | null;
  metadata: Record<string, string | number | boolean> | null;
}

/**
 * Records the one webhook of a run with everything it needs as it is now: a later change of the job changes neither
 * its target nor its text. Null when the job does not want this event.
 *
 * @returns the delivery's id
 */
export async function recordDelivery(
  tx: Transaction,
  secrets: Secrets,
  target: WebhookTarget,
  event: WebhookSubject['event'],
  run: ToldRun,
  subject: WebhookSubjectOf,
): Promise<string | null> {
  if (target.events.length > 0 && !target.events.includes(event.replace('job.', ''))) return null;
  const { text } = webhookBody(
    {
      event,
      timestamp: run.finishedAt,
      ...subject,
      run: {
        id: run.id,
        status: run.status,
        triggeredBy: run.triggeredBy,
        startTime: run.startedAt,
        endTime: run.finishedAt,
        durationSeconds: run.durationMs === null ? null : run.durationMs / 1000,
        commandOverride: run.commandOverride,
        errorMessage: run.errorMessage,
        cause: run.cause,
        metadata: run.metadata,
      },
    },
    target.url,
  );
  const kind = 'run_finished';
  return record(tx, secrets, target, { runId: run.id, jobId: run.jobId, kind, event, body: text });
}

/** What somebody asks for to be sent once more, as a delivery of its own. Returns its id. */
export function recordSentAgain(
  tx: Transaction,
  secrets: Secrets,
  target: WebhookTarget,
  earlier: { id: string; runId: string; jobId: string; event: string; body: string },
  requestedBy: string,
): Promise<string> {
  const { id: sentAgainOf, runId, jobId, event } = earlier;
  const { text: body } = sameBody(earlier.body, runId, target.url);
  return record(tx, secrets, target, {
    runId,
    jobId,
    kind: 'sent_again',
    event,
    body,
    sentAgainOf,
    requestedBy,
  });
}

/** Tells of a run that never was, for somebody who tries the webhook out. Returns the delivery's id. */
export function recordTest(
  tx: Transaction,
  secrets: Secrets,
  target: WebhookTarget,
  subject: WebhookSubjectOf,
  requestedBy: string,
): Promise<string> {
  // An event that the receiver is meant to get.
  const wanted = target.events.length === 0 || target.events.includes('completed') ? null : target.events[0];
  const event = `job.${wanted ?? 'completed'}`;
  const now = new Date();
  const run: WebhookSubject['run'] = {
    id: `test-${randomUUID()}`,
    status: wanted ?? 'success',
    triggeredBy: 'manual',
    startTime: now,
    endTime: now,
    durationSeconds: 0,
    commandOverride: null,
    errorMessage: wanted === 'failed' ? 'This is a test: nothing has failed.' : null,
    cause: null,
    metadata: null,
  };
  const { text: body } = webhookBody({ event, timestamp: now, ...subject, run, isTest: true }, target.url);
  return record(tx, secrets, target, {
    runId: null,
    jobId: subject.job.id,
    kind: 'test',
    event,
    body,
    requestedBy,
  });
}

type Told = Pick<NewDelivery, 'runId' | 'jobId' | 'kind' | 'event' | 'body' | 'sentAgainOf' | 'requestedBy'>;

/** Pending, with the URL, headers and secret of now. */
async function record(
  tx: Transaction,
  secrets: Secrets,
  { url, headers, secret, oldSecret = null, auth = null }: WebhookTarget,
  told: Told,
): Promise<string> {
  const id = randomUUID();
  await insertDelivery(tx, {
    ...told,
    id,
    url,
    ...sealedFor(id, { headers, secret }, secrets),
    auth: sealAuth(auth, authPlace(id), secrets),
    oldSecret: oldSecret === null ? null : secrets.seal(oldSecret, oldSecretPlace(id)),
    state: 'pending',
  });
  return id;
}

/** What only whoever sends a delivery may see, as it is stored. */
export function sealedFor(
  id: string,
  { headers, secret }: { headers: Record<string, string>; secret: string },
  secrets: Secrets,
): { headers: string; secret: string } {
  return {
    headers: secrets.seal(JSON.stringify(headers), headersPlace(id)),
    secret: secrets.seal(secret, secretPlace(id)),
  };
}

/** What a hook sends, with its secrets in place. */
export interface HookRequest {
  method: string;
  url: string;
  /** Null: none. */
  body: string | null;
  /** What a receiver that repeats it must not show to readers of the delivery. */
  hide: string[];
}

/** What a hook's delivery is sent with, as it is stored. */
export function sealedForHook(
  id: string,
  { headers, auth, request }: Pick<OpenDelivery, 'headers' | 'auth' | 'request'>,
  secrets: Secrets,
): { headers: string; auth: string | null; request: string | null; secret: null } {
  return {
    headers: secrets.seal(JSON.stringify(headers), headersPlace(id)),
    auth: sealAuth(auth, authPlace(id), secrets),
    request: request && secrets.seal(JSON.stringify(request), requestPlace(id)),
    secret: null,
  };
}

export interface OpenDelivery {
  id: string;
  event: string;
  url: string;
  body: string;
  headers: Record<string, string>;
  auth: AirflowAuth | null;
  /** Of a hook: what is sent in place of `url` and `body`. */
  request: HookRequest | null;
  /** Null: it is not signed. */
  secret: string | null;
  /** Signs as well. Null: there is none. */
  oldSecret: string | null;
}

/** A stored delivery with its secrets opened, for whoever sends it. */
export function openDelivery(
  stored: {
    id: string;
    event: string;
    url: string;
    body: string;
    headers: string;
    auth: string | null;
    request: string | null;
    secret: string | null;
    oldSecret: string | null;
  },
  secrets: Secrets,
): OpenDelivery {
  const { id, event, url, body } = stored;
  return {
    id,
    event,
    url,
    body,
    headers: JSON.parse(secrets.open(stored.headers, headersPlace(id))) as Record<string, string>,
    auth: openAuth(stored.auth, authPlace(id), secrets),
    request:
      stored.request === null
        ? null
        : (JSON.parse(secrets.open(stored.request, requestPlace(id))) as HookRequest),
    secret: stored.secret === null ? null : secrets.open(stored.secret, secretPlace(id)),
    oldSecret: stored.oldSecret === null ? null : secrets.open(stored.oldSecret, oldSecretPlace(id)),
  };
}

const headersPlace = (deliveryId: string) => `deliveries:${deliveryId}:headers`;
const authPlace = (deliveryId: string) => `deliveries:${deliveryId}:auth`;
const requestPlace = (deliveryId: string) => `deliveries:${deliveryId}:request`;
const secretPlace = (deliveryId: string) => `deliveries:${deliveryId}:secret`;
const oldSecretPlace = (deliveryId: string) => `deliveries:${deliveryId}:old_secret`;
