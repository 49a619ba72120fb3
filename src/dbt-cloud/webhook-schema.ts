import { z } from 'zod';
import { id, name, text } from '../text.ts';
import { runEvents } from '../webhooks/run-event.ts';
import { accountParams } from './schema.ts';

export const webhookParams = accountParams.extend({ webhook_id: id });

export const webhooksQuery = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .default(100)
    .transform((given) => Math.min(given, 100))
    .meta({ description: 'At most 100' }),
  offset: z.coerce.number().int().min(0).max(2_000_000_000).default(0),
});

const jobNumber = z.union([z.int().min(1), z.string().regex(/^\d{1,15}$/, 'write the number of a job')], {
  error: 'write the number of a job',
});

/** What clients send along of what they were told. */
const told = z.unknown().optional();

export const webhook = z.strictObject({
  name,
  client_url: z
    .string()
    .min(1)
    .meta({ description: 'Where to POST', example: 'https://example.com/hooks/dbt' }),
  event_types: z
    .array(z.enum(runEvents))
    .min(1, `name at least one of ${runEvents.join(', ')}`)
    .transform((given) => [...new Set(given)]),
  active: z
    .boolean()
    .nullish()
    .transform((given) => given ?? false)
    .meta({ description: 'Whether anything is sent; false when left out' }),
  description: text(10_000).nullish(),
  job_ids: z
    .union([z.array(jobNumber).max(1_000), jobNumber])
    .nullish()
    .transform((given) => [given ?? []].flat().map(Number))
    .meta({ description: 'Numbers of jobs; empty, null or left out: all of the account' }),
  hmac_secret: z.null('leave hmac_secret out: the server makes it, once').optional(),
  deactivate_reason: z.null('leave deactivate_reason out: nothing is kept of it').optional(),
  id: told,
  account_id: told,
  account_identifier: told,
  http_status_code: told,
  created_at: told,
  updated_at: told,
});

export const webhookView = z
  .object({
    id: z.string().meta({ example: 'wsu_...' }),
    account_id: z.number().int(),
    account_identifier: z.string(),
    name: z.string(),
    description: z.string(),
    job_ids: z.array(z.string()),
    event_types: z.array(z.string()),
    client_url: z.string(),
    hmac_secret: z.string().nullable().meta({ description: 'Shown when it is created, and null ever after' }),
    active: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
    http_status_code: z
      .string()
      .meta({ description: 'What the receiver answered to the newest delivery; 0: nothing so far' }),
  })
  .meta({ id: 'DbtCloudWebhook' });

export const webhookDeleted = z.object({ id: z.string() });

export const webhookTested = z.object({
  verification_error: z.string().nullable().meta({ description: 'Why the test did not arrive' }),
  verification_status_code: z.string().nullable().meta({ description: 'What the receiver answered' }),
});

export type WantedWebhook = z.output<typeof webhook>;
export type WebhookView = z.input<typeof webhookView>;
