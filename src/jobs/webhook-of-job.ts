import type { Transaction } from '../db.ts';
import type { Secrets } from '../secrets.ts';
import { openHeaders, openSecret } from '../webhooks/job-webhook.ts';
import type { WebhookTarget, WebhookSubjectOf } from '../webhooks/record-delivery.ts';
import { findJobOfRun } from './store.ts';

/** Where a job's webhooks go right now, opened; null when it sends none. With what they say of the job itself. */
export async function webhookOfJob(
  tx: Transaction,
  secrets: Secrets,
  jobId: string,
): Promise<{ job: WebhookSubjectOf; webhook: WebhookTarget | null }> {
  const found = await findJobOfRun(tx, jobId);
  const { project, id, name, command, webhookEnabled, webhookUrl: url, webhookEvents: events } = found;
  const job: WebhookSubjectOf = {
    job: { id, name, command },
    project: { id: project.id, name: project.name, type: project.type },
    organization: { id: project.organization.id, name: project.organization.name },
  };
  const secret = openSecret(found, id, secrets);
  if (!webhookEnabled || url === null || secret === null || project.type !== 'dbt')
    return { job, webhook: null };
  return { job, webhook: { url, secret, headers: openHeaders(found, id, secrets), events } };
}
