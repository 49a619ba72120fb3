import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import type { Secrets } from '../secrets.ts';
import {
  openHeaders,
  openOldSecret,
  openSecret,
  openSignIn,
  type JobWebhook,
} from '../webhooks/job-webhook.ts';
import type { WebhookTarget, WebhookSubjectOf } from '../webhooks/record-delivery.ts';
import { displayCommand } from './commands.ts';
import { findJobOfRun } from './store.ts';

/**
 * Where a job's webhooks go right now, opened; null when it sends none, or when this process has another secret key
 * than the one that sealed them: a run must end all the same. With what they say of the job itself.
 */
export async function webhookOfJob(
  tx: Transaction,
  { secrets, log }: Pick<Context, 'secrets' | 'log'>,
  jobId: string,
): Promise<{ job: WebhookSubjectOf; webhook: WebhookTarget | null }> {
  const found = await findJobOfRun(tx, jobId);
  const job = subjectOf(found);
  if (!found.webhookEnabled || found.project.type !== 'dbt') return { job, webhook: null };
  try {
    return { job, webhook: targetOf(found, secrets) };
  } catch (error) {
    log.error(
      { error, job: jobId },
      'a webhook is not sent: its secret was sealed with another DCTL_SECRET_KEY',
    );
    return { job, webhook: null };
  }
}

/** What a webhook says of the job. */
export function subjectOf(found: Awaited<ReturnType<typeof findJobOfRun>>): WebhookSubjectOf {
  const { project, id, name, commands } = found;
  return {
    job: { id, name, command: displayCommand(commands) },
    project: { id: project.id, name: project.name, type: project.type },
    organization: { id: project.organization.id, name: project.organization.name },
  };
}

/** Null when no URL is set. Throws when it was sealed with a key that this process does not have. */
export function targetOf(job: JobWebhook & { id: string }, secrets: Secrets): WebhookTarget | null {
  const { id, webhookUrl: url, webhookEvents: events } = job;
  const secret = openSecret(job, id, secrets);
  if (url === null || secret === null) return null;
  return {
    url,
    secret,
    oldSecret: openOldSecret(job, id, secrets),
    headers: openHeaders(job, id, secrets),
    auth: openSignIn(job, id, secrets),
    events,
  };
}
