import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { openHeaders, openSecret } from '../webhooks/job-webhook.ts';
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
  const { project, id, name, commands, webhookEnabled, webhookUrl: url, webhookEvents: events } = found;
  const job: WebhookSubjectOf = {
    job: { id, name, command: displayCommand(commands) },
    project: { id: project.id, name: project.name, type: project.type },
    organization: { id: project.organization.id, name: project.organization.name },
  };
  if (!webhookEnabled || url === null || project.type !== 'dbt') return { job, webhook: null };
  try {
    const secret = openSecret(found, id, secrets);
    if (secret === null) return { job, webhook: null };
    return { job, webhook: { url, secret, headers: openHeaders(found, id, secrets), events } };
  } catch (error) {
    log.error(
      { error, job: id },
      'a webhook is not sent: its secret was sealed with another DCTL_SECRET_KEY',
    );
    return { job, webhook: null };
  }
}
