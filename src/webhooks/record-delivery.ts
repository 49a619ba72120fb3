import { randomUUID } from 'node:crypto';
import type { Transaction } from '../db.ts';
import type { Secrets } from '../secrets.ts';
import { webhookBody, type WebhookSubject } from './payload.ts';
import { insertDelivery } from './store.ts';

export interface WebhookTarget {
  url: string;
  secret: string;
  headers: Record<string, string>;
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
  startedAt: Date;
  finishedAt: Date;
  durationMs: number;
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
        durationSeconds: run.durationMs / 1000,
        commandOverride: run.commandOverride,
        errorMessage: run.errorMessage,
        cause: run.cause,
        metadata: run.metadata,
      },
    },
    target.url,
  );
  const id = randomUUID();
  await insertDelivery(tx, {
    id,
    runId: run.id,
    jobId: run.jobId,
    kind: 'run_finished',
    event,
    url: target.url,
    body: text,
    headers: secrets.seal(JSON.stringify(target.headers), headersPlace(id)),
    secret: secrets.seal(target.secret, secretPlace(id)),
    state: 'pending',
  });
  return id;
}

export interface OpenDelivery {
  id: string;
  event: string;
  url: string;
  body: string;
  headers: Record<string, string>;
  secret: string;
}

/** A stored delivery with its secrets opened, for whoever sends it. */
export function openDelivery(
  stored: { id: string; event: string; url: string; body: string; headers: string; secret: string },
  secrets: Secrets,
): OpenDelivery {
  const { id, event, url, body } = stored;
  return {
    id,
    event,
    url,
    body,
    headers: JSON.parse(secrets.open(stored.headers, headersPlace(id))) as Record<string, string>,
    secret: secrets.open(stored.secret, secretPlace(id)),
  };
}

const headersPlace = (deliveryId: string) => `deliveries:${deliveryId}:headers`;
const secretPlace = (deliveryId: string) => `deliveries:${deliveryId}:secret`;
