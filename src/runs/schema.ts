import { z } from 'zod';
import { projectTypes } from '../commands/project-type.ts';
import { listOf, pageQuery } from '../paging.ts';
import { environmentSettings } from '../environments/environment-settings.ts';
import { id, text } from '../text.ts';
import { sameVariable } from './metadata-variable.ts';
import { runStatuses, statusReasons } from './status.ts';

/** What can make a run begin. */
export const triggers = ['manual', 'schedule', 'api', 'event', 'retry'] as const;

export const triggerParams = z.object({ project_id: id, job_id: id });
export const runParams = z.object({ run_id: id });
export const artifactParams = z.object({ run_id: id, path: text(1_000) });

const metadataValue = z.union([text(2_000), z.number(), z.boolean()], {
  error: 'write a string, a number or a boolean',
});

export const triggerRequest = z.strictObject({
  command_override: z.string().optional().meta({
    description: "Run this in place of the job's command, once",
    example: 'dbt build --select my_model+',
  }),
  cause: text(1_000)
    .optional()
    .meta({ description: 'Why, for people: shown with the run and in its webhook' }),
  metadata: z
    .record(text(100), metadataValue)
    .refine((value) => Object.keys(value).length <= 50, 'send at most 50 entries')
    .superRefine((value, context) => {
      const same = sameVariable(Object.keys(value));
      if (same === null) return;
      const message = `name it otherwise: as an environment variable it would be the same as ${same.first}`;
      context.addIssue({ code: 'custom', message, path: [same.second] });
    })
    .optional()
    .meta({ description: "The caller's own facts: shown with the run and in its webhook" }),
});

export const retryRequest = triggerRequest.pick({ cause: true, metadata: true });

/** What a key may be: visible ASCII characters. */
export const keyForm = /^[!-~]{1,255}$/;

export const triggerHeaders = z.object({
  'Idempotency-Key': z
    .string()
    .meta({ pattern: keyForm.source })
    .optional()
    .meta({ description: 'Repeating a request with the same key makes no second run' }),
});

/** As the published document shows it. */
export const triggered = z
  .object({
    message: z.literal('DBT job run triggered successfully'),
    job_run_id: z.string(),
    job_id: z.string(),
    job_name: z.string().meta({ example: 'scheduled-run-manual-20260402-120000' }),
  })
  .meta({ id: 'Triggered' });

/** The states of a step: `error` when its run was ended before its own end, `skipped` when it never began. */
const stepStatuses = ['queued', 'running', 'success', 'failed', 'error', 'skipped'] as const;

export const stepView = z
  .object({
    number: z.number().int(),
    command: z.string(),
    status: z.enum(stepStatuses),
    exit_code: z.number().int().nullable(),
    error_message: z.string().nullable(),
    start_time: z.iso.datetime().nullable(),
    end_time: z.iso.datetime().nullable(),
    nodes_succeeded: z.number().int(),
    nodes_failed: z.number().int(),
    nodes_skipped: z.number().int(),
  })
  .meta({ id: 'RunStep' });

/** What is known of a container that was told to stop. */
const interruption = z
  .object({
    signal_sent_at: z.iso.datetime().nullable().meta({ description: 'When it was sent SIGINT' }),
    kill_sent_at: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When it was sent SIGKILL, the grace being over' }),
    last_words: z.array(z.string()).meta({ description: 'What dbt said of it, line by line' }),
    container_gone_at: z.iso.datetime().nullable().meta({ description: 'When its container was removed' }),
  })
  .meta({ id: 'Interruption' });

export const runView = z
  .object({
    id: z.string(),
    name: z.string(),
    job_id: z.string(),
    project_id: z.string(),
    deployment_id: z.string(),
    environment_id: z.string(),
    status: z.enum(runStatuses),
    status_reason: z.enum(statusReasons).nullable().meta({ description: 'Why, when the status is error' }),
    error_message: z.string().nullable(),
    command: z.string(),
    command_override: z.string().nullable(),
    triggered_by: z.enum(triggers),
    requested_by: z.string().nullable().meta({ description: 'The name of whoever asked for it' }),
    cause: z.string().nullable(),
    metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullable(),
    created_at: z.iso.datetime(),
    start_time: z.iso.datetime().nullable(),
    end_time: z.iso.datetime().nullable(),
    duration_seconds: z.number().nullable(),
    exit_code: z.number().int().nullable(),
    nodes_total: z.number().int().nullable().meta({ description: 'null until dbt has told' }),
    nodes_done: z.number().int(),
    nodes_succeeded: z.number().int(),
    nodes_failed: z.number().int(),
    nodes_skipped: z.number().int(),
    log_bytes: z.number().int(),
    log_truncated: z.boolean(),
    steps: z.array(stepView).meta({ description: "The run's commands, in their order" }),
    attempt: z.number().int().meta({ description: 'How often the same work was tried, this run included' }),
    retry_of: z.string().nullable().meta({ description: 'The run that this one retries' }),
    retried_by: z.string().nullable().meta({ description: 'The newest run that retries this one' }),
    after_run: z.string().nullable().meta({
      description: 'The run of another job whose end made this one begin',
    }),
    scheduled_for: z.iso.datetime().nullable().meta({
      description: "The time of its job's schedule that it stands for",
    }),
    not_before: z.iso.datetime().nullable().meta({ description: 'It waits until then' }),
    replaced_by: z.string().nullable().meta({
      description: 'The newer run that took its place while it was queued',
    }),
    interruption: interruption.nullable().meta({ description: 'How it was stopped, if it was' }),
    cancel_requested_at: z.iso.datetime().nullable(),
    cancelled_by: z.string().nullable().meta({ description: 'The name of whoever asked for that' }),
    artifacts_ready: z.boolean().meta({
      description:
        'Whether all that the run left is stored: true shortly after its end. Whoever asks for artifacts before waits for that',
    }),
    cleared_at: z.iso.datetime().nullable().meta({
      description: 'When log and artifacts were removed: they were older than the organization keeps them',
    }),
  })
  .meta({ id: 'Run' });

export const runList = listOf(runView);

/** One or several of the given words, after commas or with the parameter repeated. */
const several = <Word extends string>(words: readonly Word[]) => {
  const word = `(${words.join('|')})`;
  const given = z.string().meta({ pattern: `^${word}(,${word})*$` });
  return z.union([given, z.array(given)]).transform((told, issues): Word[] => {
    const asked = [told].flat().flatMap((each) => each.split(','));
    const known = words.filter((each) => asked.includes(each));
    if (asked.every((each) => (words as readonly string[]).includes(each))) return known;
    issues.addIssue(`write one or more of ${words.join(', ')}, with commas between them`);
    return z.NEVER;
  });
};

/** Of a filter. Within what Postgres and a list's cursor can hold. */
const time = z.iso
  .datetime({
    offset: true,
    error: 'write a time with its zone, such as 2026-04-02T12:00:00Z (a + is written %2B)',
  })
  .transform((given) => new Date(given))
  .refine(
    (given) => given.getTime() >= 0 && given.getUTCFullYear() <= 9998,
    'write a time between 1970 and 9998',
  );

export const runQuery = pageQuery.extend({
  project_id: id.optional(),
  job_id: id.optional(),
  environment_id: id.optional(),
  status: several(runStatuses)
    .optional()
    .meta({ description: `One or more of ${runStatuses.join(', ')}, with commas between them` }),
  triggered_by: several(triggers)
    .optional()
    .meta({ description: `One or more of ${triggers.join(', ')}, with commas between them` }),
  created_after: time
    .optional()
    .meta({ description: 'Only runs recorded then or later; ISO 8601 with a zone' }),
  created_before: time.optional().meta({ description: 'Only runs recorded earlier; ISO 8601 with a zone' }),
});

export const nodeView = z
  .object({
    step: z.number().int().meta({ description: 'The number of the step it belongs to' }),
    unique_id: z.string(),
    resource_type: z.string(),
    status: z.string().meta({ description: "dbt's own word; queued until it begins, started while it runs" }),
    start_time: z.iso.datetime().nullable(),
    end_time: z.iso.datetime().nullable(),
    duration_seconds: z.number().nullable(),
    rows_affected: z.number().int().nullable(),
    message: z.string().nullable(),
    thread: z.string().nullable(),
  })
  .meta({ id: 'NodeResult' });

export const nodeList = listOf(nodeView);

const step = z.coerce
  .number()
  .int()
  .min(1)
  .max(1_000)
  .optional()
  .meta({ description: "One step's alone, by its number" });

/** Longer pages than elsewhere: a run of a usual project is one. A cursor holds a node's id, which may be long. */
export const nodeQuery = pageQuery.extend({
  step,
  limit: z.coerce.number().int().min(1).max(5_000).default(1_000),
  cursor: z.string().max(5_000).optional(),
});

export const artifactList = listOf(
  z
    .object({ path: z.string(), size_bytes: z.number().int(), step: z.number().int() })
    .meta({ id: 'Artifact' }),
);

export const artifactQuery = z.object({ step });

export const logQuery = z.object({
  step,
  follow: z
    .enum(['0', '1', 'true', 'false'])
    .default('0')
    .transform((value) => value === '1' || value === 'true')
    .meta({ description: '1: stay, and send what comes until the run has ended' }),
});

export const docsParams = z.object({ organization_id: id, project_id: id });
export const docsQuery = z.object({
  run_id: id.optional().meta({ description: 'As this run left it, in place of the last' }),
});

export const trendsQuery = z.object({
  runs: z.coerce
    .number()
    .int()
    .min(1)
    .max(500)
    .default(50)
    .meta({ description: 'How many of the last runs that came to an end to look at' }),
});

const usual = z
  .number()
  .meta({ description: 'The median of the last 20 good runs of all that the job does' });

export const jobTrends = z
  .object({
    usual_duration_seconds: usual.nullable(),
    success_rate: z.number().nullable().meta({ description: '0 to 1; null: no run has come to an end' }),
    counts: z.object({
      success: z.number().int(),
      partial: z.number().int(),
      failed: z.number().int(),
      error: z.number().int(),
    }),
    runs: z
      .array(
        z.object({
          id: z.string(),
          status: z.enum(['success', 'partial', 'failed', 'error']),
          created_at: z.iso.datetime(),
          duration_seconds: z.number().nullable(),
        }),
      )
      .meta({ description: 'Newest first' }),
    slowest_nodes: z
      .array(
        z.object({
          unique_id: z.string(),
          resource_type: z.string(),
          usual_seconds: z.number(),
          longest_seconds: z.number(),
          runs: z.number().int().meta({ description: 'In how many of them it was executed' }),
        }),
      )
      .meta({
        description:
          'Of the last 20 of those runs, the slowest first; at most 20. Without what dbt compile and dbt docs generate did',
      }),
  })
  .meta({ id: 'JobTrends' });

export const usualDurationList = listOf(
  z.object({ job_id: z.string(), usual_duration_seconds: usual, runs: z.number().int() }),
);

/** What one run does otherwise than its job says. A null: as the job says. */
export const runOverrides = z.object({
  /** In place of the job's commands. */
  steps: z.array(z.string()).nullable(),
  /** In place of that of the environment's connection. */
  schema: z.string().nullable(),
  target: z.string().nullable(),
  threads: z.number().nullable(),
  timeoutSeconds: z.number().nullable(),
  generateDocs: z.boolean().nullable(),
});

/** What a run keeps of its job and environment, so that a later change never changes it. */
export const runSettings = z.object({
  /** The commands in their order, as typed and in words. */
  steps: z.array(
    z.object({
      command: z.string(),
      argv: z.array(z.string()),
      /** The steps after it run whatever becomes of it, and it has no part in the run's status. */
      mayFail: z.boolean().optional(),
    }),
  ),
  timeoutSeconds: z.number(),
  environment: environmentSettings,
  /** Whose results the first step goes on from: it is a `dbt retry`. */
  retryFrom: z.object({ runId: z.string(), step: z.number() }).nullable().default(null),
  /** Runs recorded before there were others are dbt's. */
  projectType: z.enum(projectTypes).default('dbt'),
  /** What was asked for this run alone; in all else here it is taken into account already. */
  overrides: runOverrides.nullable().default(null),
});

export type RunQuery = z.output<typeof runQuery>;
export type NodeQuery = z.output<typeof nodeQuery>;
export type RunSettings = z.output<typeof runSettings>;
export type RunOverrides = z.output<typeof runOverrides>;
export type RetryRequest = z.output<typeof retryRequest>;
export type TriggerRequest = z.output<typeof triggerRequest>;
