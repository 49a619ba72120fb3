import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { rotatedSecret } from '../webhooks/job-webhook.ts';
import { noSuchJob } from './jobs.ts';
import type { secretRotation, webhookSecret } from './schema.ts';
import { findJob, lockJob, setWebhookSecrets } from './store.ts';

const hourMs = 3_600_000;

/**
 * A new signing secret for the job's webhooks, from the next one on. Until the overlap is over they are signed with the old
 * one as well, so that a receiver may change whenever it suits. What is recorded by now keeps its signatures.
 */
export async function rotateWebhookSecret(
  { db, secrets }: Context,
  principal: Principal,
  { projectId, jobId }: { projectId: string; jobId: string },
  { overlap_hours: overlapHours }: z.output<typeof secretRotation>,
): Promise<z.input<typeof webhookSecret>> {
  return db.$transaction(async (tx) => {
    await lockJob(tx, jobId);
    const job = await findJob(tx, { organizationId: principal.organizationId, projectId, id: jobId });
    if (job === null) throw noSuchJob();
    if (job.webhookSecret === null)
      throw new AppError('conflict', 'The job has no webhook yet. Set its webhook_url first.');
    const { secret, ...stored } = rotatedSecret(job, { jobId, secrets, overlapMs: overlapHours * hourMs });
    await setWebhookSecrets(tx, jobId, stored);
    const until = stored.webhookOldSecretUntil?.toISOString() ?? null;
    const subject = { kind: 'job', id: jobId };
    await recordAudit(tx, principal, 'webhook.secret_rotated', subject, { previous_until: until });
    return { webhook_secret: secret, previous_until: until };
  });
}
