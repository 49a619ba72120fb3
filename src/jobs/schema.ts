import { z } from 'zod';
import { listOf } from '../paging.ts';
import { id, name, text } from '../text.ts';
import { webhookSettings } from '../webhooks/schema.ts';

/** A run's last statuses: `runs/`, one floor up, says what they mean. */
const finalRunStatuses = ['success', 'partial', 'failed', 'error'] as const;

export const jobsParams = z.object({ project_id: id });
export const jobParams = z.object({ project_id: id, job_id: id });

const missed = ['run_once', 'skip'] as const;

const schedule = z.strictObject({
  cron: z
    .string()
    .max(200)
    .meta({ description: 'Five fields, or @daily and the like', example: '0 6 * * 1-5' }),
  timezone: z
    .string()
    .max(100)
    .default('UTC')
    .meta({ description: 'Where the clock hangs', example: 'Europe/Berlin' }),
  missed: z.enum(missed).default('run_once').meta({
    description: 'Times that passed while nothing was up: run once when it is up again, or skip them',
  }),
});

const runAfter = z.strictObject({
  job_id: id,
  statuses: z
    .array(z.enum(finalRunStatuses))
    .min(1, 'name at least one status')
    .default(['success'])
    .meta({ description: 'The statuses that count' }),
});

const automaticRetries = z.strictObject({
  attempts: z.int().min(0).max(10).meta({ description: 'How often at most; 0: never' }),
  delay_seconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(60)
    .meta({ description: 'How long each waits before it begins' }),
});

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
  description: text(10_000).meta({ description: 'For people' }),
  environment_id: id.meta({ description: "One of the project's environments; production when left out" }),
  timeout_seconds: z.int().min(1).max(604_800).meta({ description: 'A run that takes longer is ended' }),
  max_parallel_runs: z.int().min(1).max(100).meta({ description: 'Further runs wait their turn' }),
  schedule: schedule.nullable().meta({ description: 'When it runs by itself; null: it does not' }),
  run_after: z
    .array(runAfter)
    .max(20, 'name at most 20 jobs')
    .meta({ description: 'It runs as well when one of these jobs has ended so' }),
  automatic_retries: automaticRetries.meta({
    description: 'Of runs that could not be brought to their end through no fault of their own',
  }),
  target: text(100)
    .regex(/^[A-Za-z0-9_][\w.-]*$/, 'write the name of a target such as prod')
    .nullable()
    .meta({
      description:
        "In place of the environment's; where the environment has a connection, what its target is called",
    }),
  threads: z.int().min(1).max(128).nullable().meta({ description: "In place of the environment's" }),
  generate_docs: z.boolean().meta({ description: 'A run ends with dbt docs generate' }),
  generate_sources: z
    .boolean()
    .meta({ description: 'A run begins with dbt source freshness, which may fail' }),
  replace_queued: z.boolean().meta({
    description:
      'A new run takes the place of a queued one with the same command; not where either has an Idempotency-Key',
  }),
});

export const newJob = settings.partial().required({ name: true }).extend(webhookSettings.partial().shape);

export const jobChange = settings.partial().extend(webhookSettings.partial().shape);

const scheduleView = z.object({
  cron: z.string(),
  timezone: z.string(),
  missed: z.enum(missed),
  next_run_at: z.iso.datetime().meta({ description: 'The next time it is due' }),
  problem: z.string().nullable().meta({ description: 'Why the last time that was due made no run' }),
});

const previousSecretUntil = z.iso.datetime().nullable().meta({
  description: 'Until then webhooks are signed with the secret before this one as well; null: they are not',
});

export const jobView = z
  .object({
    id: z.string(),
    project_id: z.string(),
    environment_id: z.string(),
    name: z.string(),
    description: z.string(),
    command: z.string().meta({ description: 'Several commands are shown joined by &&' }),
    commands: z.array(z.string()),
    enabled: z.boolean(),
    timeout_seconds: z.number().int(),
    max_parallel_runs: z.number().int(),
    schedule: scheduleView.nullable(),
    run_after: z.array(z.object({ job_id: z.string(), statuses: z.array(z.enum(finalRunStatuses)) })),
    automatic_retries: z.object({ attempts: z.number().int(), delay_seconds: z.number().int() }),
    target: z.string().nullable(),
    threads: z.number().int().nullable(),
    generate_docs: z.boolean(),
    generate_sources: z.boolean(),
    replace_queued: z.boolean(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    webhook_enabled: z.boolean(),
    webhook_url: z.string().nullable(),
    webhook_headers: z.record(z.string(), z.string()).meta({ description: 'Every value is shown as ***' }),
    webhook_auth: webhookSettings.shape.webhook_auth,
    webhook_events: z.array(z.enum(['completed', 'failed', 'partial'])),
    webhook_previous_secret_until: previousSecretUntil,
  })
  .meta({ id: 'Job' });

export const jobList = listOf(jobView);

export const webhookSecret = z.object({
  webhook_secret: z.string().meta({ example: 'whsec_...' }),
  previous_until: previousSecretUntil,
});

export const secretRotation = z.strictObject({
  overlap_hours: z
    .number()
    .min(0)
    .max(168, 'write at most 168 hours: a week')
    .default(24)
    .meta({ description: 'How long webhooks are signed with the old secret as well; 0: not at all' }),
});

export const scheduleToCheck = z.strictObject({
  cron: schedule.shape.cron,
  timezone: schedule.shape.timezone,
  count: z
    .int()
    .min(1)
    .max(50)
    .default(5)
    .meta({ description: 'How many times to tell; those of a rare day are fewer' }),
});

export const scheduleVerdict = z.discriminatedUnion('accepted', [
  z.object({
    accepted: z.literal(true),
    next_times: z.array(z.iso.datetime()).meta({ description: 'From now on, the nearest first' }),
  }),
  z.object({
    accepted: z.literal(false),
    problems: z.array(
      z.object({
        field: z.enum(['cron', 'timezone']),
        detail: z.string().meta({ description: 'What is wrong, and what to write instead' }),
      }),
    ),
  }),
]);

export type NewJob = z.output<typeof newJob>;
export type JobChange = z.output<typeof jobChange>;
export type Schedule = z.output<typeof schedule>;
export type ScheduleView = z.input<typeof scheduleView>;
export type RunAfter = z.output<typeof runAfter>;
