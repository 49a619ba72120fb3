import { z } from 'zod';
import { listOf, pageQuery } from '../paging.ts';
import { id, text } from '../text.ts';
import { webhookHeaderProblems } from './headers.ts';

export const webhookAuth = z.strictObject({
  type: z.literal('airflow_jwt').meta({ description: 'A token of Airflow 3 is fetched, kept and renewed' }),
  token_url: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "Where it is fetched; /auth/token on the webhook's host when left out" }),
  username: text(200).min(1),
  password: text(2_000).min(1).meta({ description: 'Shown as ***, which sent back keeps it' }),
});

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
  webhook_auth: webhookAuth
    .nullable()
    .meta({ description: 'How to sign in to a receiver that no fixed header will do for; null: not at all' }),
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

const deliveryState = z.enum(['held', 'pending', 'sending', 'delivered', 'failed', 'blocked', 'unknown']);

/** A webhook and what became of it. */
export const delivery = z.object({
  id: z.string(),
  kind: z.enum(['run_finished', 'run_event', 'hook', 'sent_again', 'test']).meta({
    description:
      'Of `run_finished` there is at most one a run; of `run_event` one of each event, a run and a subscription; of `hook` one a run and a hook.',
  }),
  run_id: z.string().nullable().meta({ description: 'null for a test' }),
  job_id: z.string().nullable().meta({ description: 'null for a test of a subscription' }),
  subscription_id: z
    .string()
    .nullable()
    .meta({ description: "Whose event it is; null: it is the job's own webhook, or of a hook" }),
  hook_id: z.string().nullable().meta({ description: 'Whose request it is; null: it is a webhook' }),
  event: z.enum([
    'job.completed',
    'job.partial',
    'job.failed',
    'job.run.started',
    'job.run.completed',
    'job.run.errored',
  ]),
  url: z.string().meta({ description: 'Of a hook with *** in place of secrets' }),
  state: deliveryState.meta({
    description:
      '`held`: it waits until what its run left can be read. `unknown`: a worker died while sending; it is not sent again by itself.',
  }),
  sent_again_of: z.string().nullable().meta({ description: 'The earlier delivery, for `sent_again`' }),
  requested_by: z
    .string()
    .nullable()
    .meta({ description: 'Who asked for it; null for what a run made be sent' }),
  created_at: time,
  tries: z.array(deliveryTry),
});

/** One alone is shown with what was sent; in lists that would be much of the same. */
export const deliveryInFull = delivery.extend({
  body: z.string().meta({ description: 'What is sent' }),
});

export const deliveriesParams = z.object({ project_id: id, job_id: id });
export const deliveriesQuery = pageQuery.extend({
  run_id: id.optional(),
  state: deliveryState.optional(),
});
export const deliveriesOfRunParams = z.object({ run_id: id });
export const deliveriesOfSubscriptionParams = z.object({ subscription_id: id });
export const deliveriesOfSubscriptionQuery = pageQuery.extend({ state: deliveryState.optional() });
export const deliveryParams = z.object({ delivery_id: id });

export const deliveryList = listOf(delivery);

export type WebhookAuth = z.infer<typeof webhookAuth>;
export type WebhookSettings = z.infer<typeof webhookSettings>;
export type Delivery = z.infer<typeof delivery>;
export type DeliveryState = Delivery['state'];
export type DeliveryTry = z.infer<typeof deliveryTry>;
