import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { invalidField } from '../errors.ts';
import { jobChange, type JobChange } from '../jobs/schema.ts';
import { text } from '../text.ts';
import { statusesOfCodes } from './job-completion.ts';
import { changedSchedule, requireCron, scheduleForm } from './job-schedule.ts';
import { noTarget, noTimeoutSeconds, type KeptOfJob } from './job-view.ts';
import type { JobView } from './schema.ts';

const { name, description, target, threads, generate_docs: flag } = jobChange.shape;
const isGiven = z.boolean().nullish();

/** What would change how a job runs, and can't be done. Null, like everywhere, is the same as left out. */
const never = (detail: string) => z.null({ error: detail }).optional();
const off = (detail: string) => z.literal(false, { error: detail }).nullish();
const unknown = z.null({ error: 'is not known here: leave it out' });
/** Shown, and not written: what clients send of it is what they were shown. */
const shownOnly = z.unknown().optional();

const noGit = off(
  'Pull requests and merges start no runs here: let your CI trigger the job, and send false.',
);
const noDeferral =
  'Runs defer to nothing here: send null, and name what is to be built with --select in execute_steps.';
const noLint = off('There is no linter here: send false.');
const webhooksApart =
  'Make a subscription instead (POST /api/v3/accounts/{account_id}/webhooks/subscriptions), and send false.';

/** A job as dbt Cloud's clients write it: whole, in part, or as they were shown it, with what they changed. */
export const jobForm = z
  .object({
    name: name.nullish(),
    description: description.nullish(),
    project_id: z.int().nullish(),
    environment_id: z.int().nullish(),
    account_id: z.int().nullish(),
    execute_steps: z
      .array(z.string())
      .max(20, 'name at most 20 commands')
      .nullish()
      .meta({ description: 'A job made without any gets its commands with each trigger (steps_override)' }),
    generate_docs: flag.nullish(),
    run_generate_sources: flag.nullish(),
    generate_sources: flag.nullish(),
    settings: z
      .object({ threads: threads.nullish(), target_name: target.nullish() })
      .catchall(unknown)
      .nullish()
      .meta({ description: `The target "${noTarget}" is the environment's` }),
    execution: z
      .object({ timeout_seconds: z.int().min(0).max(604_800).nullish() })
      .catchall(unknown)
      .nullish()
      .meta({ description: `0, and nothing: ${noTimeoutSeconds} seconds` }),
    triggers: z
      .object({
        schedule: isGiven,
        github_webhook: noGit,
        git_provider_webhook: noGit,
        on_merge: noGit,
        custom_branch_only: isGiven,
      })
      .catchall(unknown)
      .nullish(),
    schedule: scheduleForm.nullish(),
    job_type: z
      .enum(['scheduled', 'other'], {
        error: 'write "scheduled" or "other": pull requests and merges start no runs here',
      })
      .nullish(),
    job_completion_trigger_condition: z
      .object({
        condition: z
          .object({ job_id: z.int(), project_id: z.int().nullish(), statuses: z.array(z.int()) })
          .catchall(unknown),
      })
      .catchall(unknown)
      .nullish(),
    state: z
      .union([z.literal(1), z.literal(2)])
      .nullish()
      .meta({ description: '2 deletes the job' }),
    deactivated: isGiven.meta({ description: 'true switches the job off: it takes no triggers' }),
    dbt_version: never(
      "The runner image of the job's environment says which dbt runs (its field runner_image): send null.",
    ),
    deferring_job_definition_id: never(noDeferral),
    deferring_environment_id: never(noDeferral),
    self_deferring: off(noDeferral),
    run_compare_changes: off('Changes are not compared here: send false.'),
    compare_changes_flags: text(1_000).nullish(),
    run_lint: noLint,
    errors_on_lint_failure: isGiven,
    cost_optimization_features: z
      .array(z.string())
      .max(0, 'Each run does all of its work here: send an empty list.')
      .nullish(),
    force_node_selection: isGiven,
    triggers_on_draft_pr: isGiven,
    lifecycle_webhooks: off(webhooksApart),
    lifecycle_webhooks_url: never(webhooksApart),
    id: shownOnly,
    account: shownOnly,
    project: shownOnly,
    environment: shownOnly,
    created_at: shownOnly,
    updated_at: shownOnly,
    cron_humanized: shownOnly,
    deactivation_reason: shownOnly,
    is_deferrable: shownOnly,
    is_system: shownOnly,
    most_recent_completed_run: shownOnly,
    most_recent_run: shownOnly,
    next_run: shownOnly,
    next_run_humanized: shownOnly,
    raw_dbt_version: shownOnly,
    run_failure_count: shownOnly,
  })
  .catchall(unknown)
  .meta({ id: 'DbtCloudJobForm' });

export type JobForm = z.output<typeof jobForm>;

/** A change of a job, but for what it names by number. */
export interface JobWrite {
  change: JobChange;
  kept: KeptOfJob;
  /** By its number; null: none. Undefined: as it is. */
  runAfter:
    | { number: number; project: number | null; statuses: ReturnType<typeof statusesOfCodes> }
    | null
    | undefined;
}

/** What is known of a job that there is: what is shown of it, how it is kept. */
export interface Current {
  shown: JobView;
  kept: KeptOfJob;
  timezone: string | null;
  missed: 'run_once' | 'skip' | null;
}

/**
 * What a form changes. Whatever is sent as it was shown changes nothing: a job whose threads are its environment's keeps
 * them so when a client sends all of it back.
 */
export function readJobForm(form: JobForm, current: Current): JobWrite {
  const { shown } = current;
  const changed = <Key extends 'name' | 'description' | 'execute_steps'>(
    key: Key,
  ): JobForm[Key] | undefined =>
    form[key] == null || isDeepStrictEqual(form[key], shown[key]) ? undefined : form[key];
  const change: JobChange = { ...readManner(form, shown), ...readSchedule(form, current) };
  const [wantedName, wantedDescription] = [changed('name'), changed('description')];
  if (wantedName != null) change.name = wantedName;
  if (wantedDescription != null) change.description = wantedDescription;
  const steps = changed('execute_steps');
  if (steps != null) change.commands = steps;

  const seconds = form.execution?.timeout_seconds;
  const hasTimeout = seconds != null && seconds !== shown.execution.timeout_seconds;
  if (hasTimeout) change.timeout_seconds = seconds === 0 ? noTimeoutSeconds : seconds;
  return {
    change,
    kept: {
      ...readKept(form),
      ...(hasTimeout && { no_timeout: seconds === 0 }),
      ...readKeptSchedule(form, current),
    },
    runAfter: readCompletion(form, shown),
  };
}

function readManner(
  form: JobForm,
  { settings, generate_docs: docs, run_generate_sources: sources, deactivated }: JobView,
) {
  const { threads: wantedThreads, target_name: wantedTarget } = form.settings ?? {};
  const wantedSources = [form.run_generate_sources, form.generate_sources].find(
    (each) => each != null && each !== sources,
  );
  return {
    ...(wantedThreads != null && wantedThreads !== settings.threads && { threads: wantedThreads }),
    ...(wantedTarget != null &&
      wantedTarget !== settings.target_name && { target: wantedTarget === noTarget ? null : wantedTarget }),
    ...(form.generate_docs != null && form.generate_docs !== docs && { generate_docs: form.generate_docs }),
    ...(wantedSources != null && { generate_sources: wantedSources }),
    ...(form.deactivated != null && form.deactivated !== deactivated && { enabled: !form.deactivated }),
  };
}

/** The fields that mean nothing here, as they are written. */
function readKept(form: JobForm): KeptOfJob {
  const given = {
    job_type: form.job_type,
    custom_branch_only: form.triggers?.custom_branch_only,
    errors_on_lint_failure: form.errors_on_lint_failure,
    compare_changes_flags: form.compare_changes_flags,
    force_node_selection: form.force_node_selection,
    triggers_on_draft_pr: form.triggers_on_draft_pr,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value != null));
}

/** Undefined: it stays as it is. */
function wantedSchedule(form: JobForm, { shown }: Current) {
  if (form.schedule == null || isDeepStrictEqual(form.schedule, shown.schedule)) return undefined;
  const wanted = changedSchedule(form.schedule, shown.schedule as Parameters<typeof changedSchedule>[1]);
  requireCron(wanted.cron);
  return wanted;
}

function readKeptSchedule(form: JobForm, current: Current): KeptOfJob {
  const wanted = wantedSchedule(form, current);
  if (wanted !== undefined) return { schedule: wanted };
  // It goes on being shown when it does not act any more.
  return form.triggers?.schedule === false
    ? { schedule: current.shown.schedule as KeptOfJob['schedule'] }
    : {};
}

/** When the job runs by itself from now on: in UTC, where the times change. */
function readSchedule(form: JobForm, current: Current): Pick<JobChange, 'schedule'> {
  const { shown, timezone, missed } = current;
  const wanted = wantedSchedule(form, current);
  const acts = form.triggers?.schedule ?? shown.triggers.schedule;
  if (!acts) return shown.triggers.schedule ? { schedule: null } : {};
  if (wanted === undefined && shown.triggers.schedule) return {};
  const { cron } = wanted ?? shown.schedule;
  requireCron(cron);
  const isAsBefore = shown.triggers.schedule && cron === shown.schedule.cron;
  return {
    schedule: {
      cron,
      timezone: isAsBefore && timezone !== null ? timezone : 'UTC',
      missed: missed ?? 'run_once',
    },
  };
}

function readCompletion(form: JobForm, shown: JobView): JobWrite['runAfter'] {
  const wanted = form.job_completion_trigger_condition;
  const before = shown.job_completion_trigger_condition;
  if (wanted === undefined || isDeepStrictEqual(wanted, before)) return undefined;
  // What dbt Cloud has no words for was shown as null, and is left alone.
  if (wanted === null) return before === null ? undefined : null;
  const { job_id: number, project_id: project = null, statuses } = wanted.condition;
  return { number, project, statuses: statusesOfCodes(statuses) };
}

/** Throws for a job that would have nothing to run when its time comes, or nothing any more. */
export function requireSteps(form: JobForm, shown: Pick<JobView, 'execute_steps' | 'triggers'>): void {
  const steps = form.execute_steps ?? shown.execute_steps;
  if (steps.length > 0) return;
  if (shown.execute_steps.length > 0)
    throw invalidField('/execute_steps', 'Name at least one command, or leave execute_steps out.');
  if (form.triggers?.schedule ?? shown.triggers.schedule)
    throw invalidField('/execute_steps', 'Name the commands that the schedule is to run.');
}

/** Throws for what a new job can't do without. */
export function requireNewJob(form: JobForm) {
  if (form.state === 2) throw invalidField('/state', 'state: 2 deletes a job: send 1, or leave state out.');
  const { name: wanted, project_id: project, environment_id: environment } = form;
  if (wanted == null) throw invalidField('/name', 'Give the job a name.');
  if (project == null) throw invalidField('/project_id', 'Give the project_id of the job.');
  if (environment == null) throw invalidField('/environment_id', 'Give the environment_id of the job.');
  return { name: wanted, project, environment };
}
