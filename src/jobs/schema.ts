import { z } from 'zod';
import { listOf } from '../paging.ts';
import { id, name } from '../text.ts';
import { webhookSettings } from '../webhooks/schema.ts';

export const jobsParams = z.object({ project_id: id });
export const jobParams = z.object({ project_id: id, job_id: id });

const settings = z.strictObject({
  name,
  command: z
    .string()
    .meta({ description: 'The command of dbt or SQLMesh, as it is typed', example: 'dbt build' }),
  commands: z
    .array(z.string())
    .min(1, 'give at least one command')
    .max(20, 'give at most 20 commands')
    .meta({ description: 'In place of command: several, run in order up to the first that fails' }),
  enabled: z.boolean().meta({ description: 'A job that is not enabled takes no triggers' }),
  environment_id: id.meta({ description: "One of the project's environments; production when left out" }),
  timeout_seconds: z.int().min(1).max(604_800).meta({ description: 'A run that takes longer is ended' }),
  max_parallel_runs: z.int().min(1).max(100).meta({ description: 'Further runs wait their turn' }),
});

export const newJob = settings.partial().required({ name: true }).extend(webhookSettings.partial().shape);

export const jobChange = settings.partial().extend(webhookSettings.partial().shape);

export const jobView = z
  .object({
    id: z.string(),
    project_id: z.string(),
    environment_id: z.string(),
    name: z.string(),
    command: z.string().meta({ description: 'Several commands are shown joined by &&' }),
    commands: z.array(z.string()),
    enabled: z.boolean(),
    timeout_seconds: z.number().int(),
    max_parallel_runs: z.number().int(),
    created_at: z.iso.datetime(),
    webhook_enabled: z.boolean(),
    webhook_url: z.string().nullable(),
    webhook_headers: z.record(z.string(), z.string()).meta({ description: 'Every value is shown as ***' }),
    webhook_events: z.array(z.enum(['completed', 'failed', 'partial'])),
  })
  .meta({ id: 'Job' });

export const jobList = listOf(jobView);

export const webhookSecret = z.object({ webhook_secret: z.string().meta({ example: 'whsec_...' }) });

export type NewJob = z.output<typeof newJob>;
export type JobChange = z.output<typeof jobChange>;
