import { z } from 'zod';
import { listOf, pageQuery } from '../paging.ts';
import { id } from '../text.ts';
import { webhookHeaderProblems } from './headers.ts';

/** The webhook fields of a job, as a client writes them. Whether the URL may be reached is judged where it is saved. */
export const webhookSettings = z.strictObject({
  webhook_enabled: z.boolean().meta({ description: 'Whether webhooks are sent.' }),
  webhook_url: z
    .string()
    .min(1)
    .nullable()
    .meta({ description: 'Where to POST when a run ends.', example: 'https://example.com/hooks/dbt' }),
  webhook_headers: z
    .record(z.string(), z.string())
    .superRefine((headers, context) => {
      for (const { name, detail } of webhookHeaderProblems(headers)) {
        context.addIssue({ code: 'custom', message: detail, path: name === '' ? [] : [name] });
      }
    })
    .meta({ description: 'Headers sent along with every webhook, for authentication.' }),
  webhook_events: z
    .array(z.enum(['completed', 'failed', 'partial']))
    .meta({ description: 'Which ends of a run are told. Empty means all of them.' }),
});

const time = z.iso.datetime().meta({ example: '2026-04-02T12:00:00Z' });

/** One POST. `result` is null while it is under way, and stays null when the worker died meanwhile. */
export const deliveryTry = z.object({
  number: z.int().min(1),
  started_at: time,
  status_code: z.int().nullable(),
  duration_ms: z.int().nullable(),
  answer: z.string().nullable().meta({ description: 'The first 2 KiB of what the receiver answered.' }),
  result: z.enum(['answered', 'timed_out', 'blocked', 'failed']).nullable(),
  explanation: z
    .string()
    .nullable()
    .meta({ description: 'What came of it, and why it was or was not retried.' }),
});

const deliveryState = z.enum(['pending', 'sending', 'delivered', 'failed', 'blocked', 'unknown']);

/** A webhook and what became of it. */
export const delivery = z.object({
  id: z.string(),
  kind: z
    .enum(['run_finished', 'sent_again', 'test'])
    .meta({ description: 'Of `run_finished` there is at most one a run.' }),
  run_id: z.string().nullable().meta({ description: 'null for a test' }),
  job_id: z.string(),
  event: z.enum(['job.completed', 'job.partial', 'job.failed']),
  url: z.string(),
  state: deliveryState.meta({
    description: '`unknown`: a worker died while sending; it is not sent again by itself.',
  }),
  sent_again_of: z.string().nullable().meta({ description: 'The earlier delivery, for `sent_again`' }),
  requested_by: z.string().nullable().meta({ description: 'Who asked for it; null for `run_finished`' }),
  created_at: time,
  tries: z.array(deliveryTry),
});

export const deliveriesParams = z.object({ project_id: id, job_id: id });
export const deliveriesQuery = pageQuery.extend({
  run_id: id.optional(),
  state: deliveryState.optional(),
});
export const deliveriesOfRunParams = z.object({ run_id: id });
export const deliveryParams = z.object({ delivery_id: id });

export const deliveryList = listOf(delivery);

export type WebhookSettings = z.infer<typeof webhookSettings>;
export type Delivery = z.infer<typeof delivery>;
export type DeliveryState = Delivery['state'];
export type DeliveryTry = z.infer<typeof deliveryTry>;
