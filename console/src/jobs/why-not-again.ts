import type { Answer } from '../../../client/client.ts';
import type { Job } from '../../../client/operations.ts';

type Delivery = Answer<'listDeliveries'>['data'][number];

/** Whether it is of the job's webhook, not of a hook or a subscription. */
export const isOfJob = (delivery: Delivery) => delivery.hook_id === null && delivery.subscription_id === null;

/** Why a delivery cannot be sent again, as far as the job says: it would go to where its webhooks go now. */
export function whyNotAgain(delivery: Delivery, job: Job | undefined): string | undefined {
  if (job === undefined || !isOfJob(delivery)) return undefined;
  if (job.webhook_url === null) return 'Cannot be sent again: the job has no webhook.';
  return job.webhook_enabled ? undefined : 'Cannot be sent again: the webhook is disabled.';
}
