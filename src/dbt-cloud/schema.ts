import { z } from 'zod';
import { text } from '../text.ts';
import { statusNames } from './status.ts';

/**
 * The number of an account, a project, an environment, a job or a run, in an address. Whatever else is there is nothing's
 * number: it is not found.
 */
export const number = z
  .string()
  .transform((given) => (/^\d{1,15}$/.test(given) ? Number(given) : 0))
  .meta({ override: { type: 'integer' } });

export const accountParams = z.object({ account_id: number });
export const projectParams = accountParams.extend({ project_id: number });
export const environmentParams = accountParams.extend({ environment_id: number });
export const environmentOfProjectParams = projectParams.extend({ environment_id: number });
export const variableParams = projectParams.extend({ variable_id: number });
export const jobParams = accountParams.extend({ job_id: number });
export const jobArtifactParams = jobParams.extend({ path: text(1_000) });
export const runParams = accountParams.extend({ run_id: number });
export const runArtifactParams = runParams.extend({ path: text(1_000) });

export const account = z
  .object({
    id: z.number().int(),
    name: z.string(),
    state: z.literal(1),
    plan: z.literal('self_hosted'),
    run_slots: z.number().int().meta({ description: 'How many runs a worker executes at a time' }),
    created_at: z.string(),
  })
  .meta({ id: 'DbtCloudAccount' });

const connection = z.object({
  id: z.number().int(),
  name: z.string(),
  type: z.string(),
  details: z
    .record(z.string(), z.unknown())
    .meta({ description: 'Where the warehouse is; nothing of it is secret' }),
});

export const project = z
  .object({
    id: z.number().int(),
    account_id: z.number().int(),
    name: z.string(),
    description: z.string(),
    state: z.literal(1),
    connection: connection.nullable().meta({ description: "Of the project's first environment" }),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'DbtCloudProject' });

export const environment = z
  .object({
    id: z.number().int(),
    account_id: z.number().int(),
    project_id: z.number().int(),
    name: z.string(),
    type: z.literal('deployment'),
    deployment_type: z.literal('production').nullable(),
    dbt_version: z
      .string()
      .nullable()
      .meta({ description: 'That of its last run, which its runner image says; null before' }),
    state: z.literal(1),
    use_custom_branch: z.literal(false),
    custom_branch: z.null(),
    supports_docs: z.literal(true),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'DbtCloudEnvironment' });

const schedule = z.object({
  cron: z.string(),
  date: z.looseObject({ type: z.string() }),
  time: z.looseObject({ type: z.string() }),
});

const settings = z.object({ threads: z.number().int(), target_name: z.string() });
const execution = z.object({ timeout_seconds: z.number().int() });
const triggers = z.object({
  github_webhook: z.literal(false),
  git_provider_webhook: z.literal(false),
  custom_branch_only: z.boolean(),
  schedule: z.boolean(),
  on_merge: z.literal(false),
});

const jobCompletion = z.object({
  condition: z.object({
    job_id: z.number().int(),
    project_id: z.number().int(),
    statuses: z.array(z.number().int()),
  }),
});

export const job = z
  .object({
    id: z.number().int(),
    account_id: z.number().int(),
    project_id: z.number().int(),
    environment_id: z.number().int(),
    name: z.string(),
    description: z.string(),
    dbt_version: z.null(),
    raw_dbt_version: z.null(),
    execute_steps: z.array(z.string()),
    generate_docs: z.boolean(),
    run_generate_sources: z.boolean(),
    generate_sources: z.boolean(),
    settings,
    execution,
    triggers,
    schedule: schedule.meta({
      description: 'In UTC, but where it was set by other means; acts if triggers.schedule is true',
    }),
    job_type: z.string(),
    job_completion_trigger_condition: jobCompletion.nullable(),
    state: z.union([z.literal(1), z.literal(2)]).meta({ description: '2: it was deleted just now' }),
    deactivated: z.boolean().meta({ description: 'It is switched off, and takes no triggers' }),
    deferring_job_definition_id: z.null(),
    deferring_environment_id: z.null(),
    is_deferrable: z.literal(false),
    is_system: z.literal(false),
    run_lint: z.literal(false),
    errors_on_lint_failure: z.boolean(),
    run_compare_changes: z.literal(false),
    compare_changes_flags: z.string(),
    cost_optimization_features: z.array(z.string()),
    force_node_selection: z.boolean().nullable(),
    lifecycle_webhooks: z.literal(false),
    triggers_on_draft_pr: z.boolean(),
    next_run: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
    account: z.null(),
    project: z.null(),
    environment: environment.nullable(),
    most_recent_run: z.null(),
    most_recent_completed_run: z.null(),
  })
  .meta({ id: 'DbtCloudJob' });

/** A job within a run: what its schedule is made of is told in single words there. */
const jobOfRun = job
  .extend({ schedule: z.object({ cron: z.string(), date: z.string(), time: z.string() }) })
  .meta({ id: 'DbtCloudJobOfRun' });

const time = z.string().meta({ example: '2026-04-02 12:00:00.000000+00:00' });
const duration = z.string().meta({ example: '00:01:12' });
const status = z
  .number()
  .int()
  .meta({ description: JSON.stringify(statusNames) });

export const runStep = z
  .object({
    id: z.number().int(),
    run_id: z.number().int(),
    account_id: z.number().int(),
    index: z.number().int(),
    name: z.string(),
    status,
    status_humanized: z.string(),
    logs: z.string().meta({ description: 'Sent with include_related=run_steps of a single run' }),
    debug_logs: z.string().nullable().meta({ description: 'The same, with include_related=debug_logs' }),
    truncated_debug_logs: z.null(),
    created_at: time.nullable(),
    updated_at: time.nullable(),
    started_at: time.nullable(),
    finished_at: time.nullable(),
    duration,
    duration_humanized: z.string(),
  })
  .meta({ id: 'DbtCloudRunStep' });

const trigger = z.object({
  id: z.number().int(),
  job_definition_id: z.number().int(),
  cause: z.string(),
  cause_category: z.string(),
  git_branch: z.null(),
  git_sha: z.null(),
  azure_pull_request_id: z.null(),
  github_pull_request_id: z.null(),
  gitlab_merge_request_id: z.null(),
  non_native_pull_request_id: z.null(),
  schema_override: z.string().nullable(),
  dbt_version_override: z.null(),
  threads_override: z.number().nullable(),
  target_name_override: z.string().nullable(),
  generate_docs_override: z.boolean().nullable(),
  timeout_seconds_override: z.number().nullable(),
  steps_override: z.array(z.string()).nullable(),
  created_at: time,
});

export const run = z
  .object({
    id: z.number().int(),
    trigger_id: z.number().int(),
    account_id: z.number().int(),
    environment_id: z.number().int(),
    project_id: z.number().int(),
    job_definition_id: z.number().int(),
    job_id: z.number().int(),
    status,
    status_humanized: z.string(),
    status_message: z.string().nullable(),
    in_progress: z.boolean(),
    is_running: z.boolean(),
    is_complete: z.boolean(),
    is_success: z.boolean(),
    is_error: z.boolean(),
    is_cancelled: z.boolean(),
    dbt_version: z.string().nullable(),
    git_branch: z.null(),
    git_sha: z.null(),
    created_at: time,
    updated_at: time,
    dequeued_at: time.nullable(),
    started_at: time.nullable(),
    finished_at: time.nullable(),
    should_start_at: time.nullable(),
    artifacts_saved: z.boolean(),
    has_docs_generated: z.boolean(),
    has_sources_generated: z.boolean(),
    duration,
    queued_duration: duration,
    run_duration: duration,
    duration_humanized: z.string(),
    queued_duration_humanized: z.string(),
    run_duration_humanized: z.string(),
    trigger,
    job: jobOfRun.nullable().meta({ description: 'With include_related=job' }),
    environment: environment.nullable().meta({ description: 'With include_related=environment' }),
    run_steps: z.array(runStep),
    href: z.string().meta({ description: 'The run in our own API' }),
    can_retry: z.boolean(),
    retry_not_supported_reason: z.string().nullable(),
    retrying_run_id: z.number().int().nullable().meta({ description: 'The run that this one retries' }),
    deferring_run_id: z.null(),
  })
  .meta({ id: 'DbtCloudRun' });

export const paths = z.array(z.string());

export type RunView = z.input<typeof run>;
export type RunStepView = z.input<typeof runStep>;
export type ProjectView = z.input<typeof project>;
export type EnvironmentView = z.input<typeof environment>;
export type JobView = z.input<typeof job>;
