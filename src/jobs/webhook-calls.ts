import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import type { Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { getDelivery, noSuchDelivery } from '../webhooks/deliveries.ts';
import { oldSecretUntil, openSecret } from '../webhooks/job-webhook.ts';
import { recordSentAgain, recordTest } from '../webhooks/record-delivery.ts';
import type { Delivery } from '../webhooks/schema.ts';
import { sendRequestAgain } from '../webhooks/send-request-again.ts';
import { findDelivery, isUnderWay, lockDelivery } from '../webhooks/store.ts';
import { sendEventAgain } from '../webhooks/subscriptions.ts';
import { noSuchJob } from './jobs.ts';
import type { webhookSecret } from './schema.ts';
import { findJob, findJobOfRun } from './store.ts';
import { subjectOf, targetOf } from './webhook-of-job.ts';

/**
 * Sends what a delivery told once more, to where the job's webhooks go now, or the subscription's; of a hook the same
 * request as it was. That is a delivery of its own, sent at most once like every other; the earlier one stays as it is.
 */
export function sendAgain(context: Context, principal: Principal, id: string): Promise<Delivery> {
  const { organizationId } = principal;
  return recordAndRing(context, principal, async (tx) => {
    const earlier = await findDelivery(tx, organizationId, id);
    if (earlier === null) throw noSuchDelivery();
    const { jobId, runId, job, subscriptionId, hookId } = earlier;
    if (runId === null || jobId === null || job === null)
      throw conflict('This delivery was a test. Send another test in its place.');
    await lockDelivery(tx, id);
    if (await isUnderWay(tx, id))
      throw conflict('This delivery is on its way. Wait for its end before sending it again.');

    const again =
      hookId !== null
        ? await sendRequestAgain(tx, context, principal, { ...earlier, hookId })
        : subscriptionId !== null
          ? await sendEventAgain(tx, context, principal, earlier, subscriptionId)
          : await tellJobsReceiver(tx, context, principal, { ...earlier, runId, jobId, ...job });
    const details = { sent_again_of: id, run_id: runId, job_id: jobId };
    await recordAudit(tx, principal, 'webhook.sent_again', { kind: 'delivery', id: again }, details);
    return again;
  });
}

async function tellJobsReceiver(
  tx: Transaction,
  { secrets }: Context,
  { organizationId, actor }: Principal,
  earlier: Parameters<typeof recordSentAgain>[3] & { projectId: string },
): Promise<string> {
  const { projectId, jobId } = earlier;
  const found = await findJob(tx, { organizationId, projectId, id: jobId });
  if (found === null) throw conflict("The delivery's job was deleted, and its webhook with it.");
  const target = found.webhookEnabled ? targetOf(found, secrets) : null;
  if (target === null)
    throw conflict("The delivery's job sends no webhooks any more. Set its webhook_enabled to true first.");
  return recordSentAgain(tx, secrets, target, earlier, actor.name);
}

/** Tells the receiver of a run that never was. Also while the webhook is switched off: that is when to try it. */
export function testWebhook(
  context: Context,
  principal: Principal,
  { projectId, jobId }: { projectId: string; jobId: string },
): Promise<Delivery> {
  return recordAndRing(context, principal, async (tx) => {
    const job = await findJob(tx, { organizationId: principal.organizationId, projectId, id: jobId });
    if (job === null) throw noSuchJob();
    if (job.project.type !== 'dbt') throw conflict('Webhooks are for dbt projects only.');
    const target = targetOf(job, context.secrets) ?? withoutUrl();
    const subject = subjectOf(await findJobOfRun(tx, jobId));
    const id = await recordTest(tx, context.secrets, target, subject, principal.actor.name);
    await recordAudit(tx, principal, 'webhook.tested', { kind: 'delivery', id }, { job_id: jobId });
    return id;
  });
}

/** The secret that the job's webhooks are signed with. Who saw it is noted. */
export async function showWebhookSecret(
  { db, secrets }: Context,
  principal: Principal,
  { projectId, jobId }: { projectId: string; jobId: string },
): Promise<z.input<typeof webhookSecret>> {
  const job = await findJob(db, { organizationId: principal.organizationId, projectId, id: jobId });
  if (job === null) throw noSuchJob();
  const secret = openSecret(job, jobId, secrets) ?? withoutUrl();
  await recordAudit(db, principal, 'webhook.secret_revealed', { kind: 'job', id: jobId });
  return { webhook_secret: secret, previous_until: oldSecretUntil(job)?.toISOString() ?? null };
}

/** Answers as soon as the delivery is recorded: a worker sends it. */
async function recordAndRing(
  { db, doorbell }: Context,
  principal: Principal,
  record: (tx: Transaction) => Promise<string>,
): Promise<Delivery> {
  const delivery = await db.$transaction(async (tx) => getDelivery({ db: tx }, principal, await record(tx)));
  await doorbell.ringDelivery(delivery.id);
  return delivery;
}

function withoutUrl(): never {
  throw conflict('The job has no webhook yet. Set its webhook_url first.');
}

const conflict = (detail: string) => new AppError('conflict', detail);
