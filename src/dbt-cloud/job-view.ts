import { z } from 'zod';
import { keptSchedule, noSchedule, scheduleOfCron, type KeptSchedule } from './job-schedule.ts';
import { codesOfStatuses } from './job-completion.ts';
import type { JobView } from './schema.ts';
import type { StoredJob } from './job-store.ts';
import { viewEnvironment } from './projects.ts';

/** dbt Cloud's own limit to a run, where its job has none. */
export const noTimeoutSeconds = 86_400;
/** What dbt Cloud calls the target of a job that names none: here, the environment's. */
export const noTarget = 'default';
/** What dbt Cloud gives a job that does not say. */
const usualThreads = 4;

/** What a job keeps for its dbt Cloud clients alone. */
export const keptOfJob = z.object({
  schedule: keptSchedule.optional(),
  job_type: z.string().optional(),
  /** Its timeout is `noTimeoutSeconds`, and was written as 0. */
  no_timeout: z.boolean().optional(),
  custom_branch_only: z.boolean().optional(),
  errors_on_lint_failure: z.boolean().optional(),
  compare_changes_flags: z.string().optional(),
  force_node_selection: z.boolean().optional(),
  triggers_on_draft_pr: z.boolean().optional(),
});

export type KeptOfJob = z.output<typeof keptOfJob>;

export function keptOf(job: Pick<StoredJob, 'dbtCloud'>): KeptOfJob {
  return keptOfJob.catch({}).parse(job.dbtCloud);
}

/** `dbtVersion`: that of its environment, where that is wanted. */
export function viewJob(
  job: StoredJob,
  accountId: number,
  related: { environment: { dbtVersion: string | null } | null } = { environment: null },
): JobView {
  const kept = keptOf(job);
  return {
    id: Number(job.number),
    account_id: accountId,
    project_id: Number(job.project.number),
    environment_id: Number(job.environment.number),
    name: job.name,
    description: job.description,
    dbt_version: null,
    raw_dbt_version: null,
    execute_steps: job.commands,
    generate_docs: job.generateDocs,
    run_generate_sources: job.generateSources,
    generate_sources: job.generateSources,
    settings: {
      threads: job.threads ?? job.environment.threads ?? usualThreads,
      target_name: job.target ?? noTarget,
    },
    execution: { timeout_seconds: isWithoutTimeout(job, kept) ? 0 : job.timeoutSeconds },
    triggers: {
      github_webhook: false,
      git_provider_webhook: false,
      custom_branch_only: kept.custom_branch_only ?? false,
      schedule: job.scheduleCron !== null,
      on_merge: false,
    },
    schedule: shownSchedule(job, kept),
    job_type: kept.job_type ?? (job.scheduleCron === null ? 'other' : 'scheduled'),
    job_completion_trigger_condition: completionOf(job),
    state: 1,
    deactivated: !job.enabled,
    deferring_job_definition_id: null,
    deferring_environment_id: null,
    is_deferrable: false,
    is_system: false,
    run_lint: false,
    errors_on_lint_failure: kept.errors_on_lint_failure ?? true,
    run_compare_changes: false,
    compare_changes_flags: kept.compare_changes_flags ?? '--select state:modified',
    cost_optimization_features: [],
    force_node_selection: kept.force_node_selection ?? null,
    lifecycle_webhooks: false,
    triggers_on_draft_pr: kept.triggers_on_draft_pr ?? false,
    next_run: job.scheduleNextAt?.toISOString() ?? null,
    created_at: job.createdAt.toISOString(),
    updated_at: job.updatedAt.toISOString(),
    account: null,
    project: null,
    environment:
      related.environment && viewEnvironment(job.environment, accountId, related.environment.dbtVersion),
    most_recent_run: null,
    most_recent_completed_run: null,
  };
}

function isWithoutTimeout(job: StoredJob, kept: KeptOfJob): boolean {
  return kept.no_timeout === true && job.timeoutSeconds === noTimeoutSeconds;
}

/** As a client wrote it, unless it was changed by other means since. */
function shownSchedule(job: StoredJob, { schedule }: KeptOfJob): KeptSchedule {
  if (job.scheduleCron === null) return schedule ?? noSchedule;
  return schedule?.cron === job.scheduleCron ? schedule : scheduleOfCron(job.scheduleCron);
}

/** Null also where it runs after several jobs, or after some ends that dbt Cloud does not tell apart. */
function completionOf({ runsAfter }: StoredJob): JobView['job_completion_trigger_condition'] {
  const [after, ...more] = runsAfter;
  const statuses = after && codesOfStatuses(after.statuses);
  if (after === undefined || statuses === undefined || more.length > 0) return null;
  const { number, project } = after.afterJob;
  return { condition: { job_id: Number(number), project_id: Number(project.number), statuses } };
}
