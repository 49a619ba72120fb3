import type { Context } from '../context.ts';
import type { JobView, RunView } from './schema.ts';
import { viewRunSteps, type StepLogs } from './run-steps.ts';
import { statusCodeOf, statusNames } from './status.ts';
import type { StoredRun } from './run-store.ts';
import { durationBetween, humanizedBetween, orNull, timeOfRun } from './times.ts';

/** What of an answer is not the run's own. */
export interface RunSurroundings {
  accountId: number;
  /** Where our own API is, as the caller knows it. */
  origin: string;
  /** Null: not asked for. */
  job: JobView | null;
  environment: RunView['environment'];
  logs: StepLogs | null;
}

export function viewRun(run: StoredRun, surroundings: RunSurroundings): RunView {
  const { accountId, origin, job, environment, logs } = surroundings;
  const code = statusCodeOf(run, run.begun.length > 0);
  const isComplete = code >= 10;
  const end = run.finishedAt;
  return {
    id: run.number,
    trigger_id: run.number,
    account_id: accountId,
    environment_id: run.environmentNumber,
    project_id: run.projectNumber,
    job_definition_id: run.jobNumber,
    job_id: run.jobNumber,
    status: code,
    status_humanized: statusNames[code],
    status_message: run.errorMessage,
    in_progress: !isComplete,
    is_running: code === 3,
    is_complete: isComplete,
    is_success: code === 10,
    is_error: code === 20,
    is_cancelled: code === 30,
    dbt_version: run.begun.findLast((step) => step.programVersion !== null)?.programVersion ?? null,
    git_branch: null,
    git_sha: null,
    created_at: timeOfRun(run.createdAt),
    updated_at: timeOfRun(lastOf(run)),
    dequeued_at: orNull(run.startedAt, timeOfRun),
    started_at: orNull(run.startedAt, timeOfRun),
    finished_at: orNull(end, timeOfRun),
    should_start_at: orNull(run.notBefore, timeOfRun),
    artifacts_saved: isComplete && !run.artifactsPending && run.clearedAt === null,
    has_docs_generated: hasDone(run, ['docs', 'generate']),
    has_sources_generated: hasDone(run, ['source', 'freshness']),
    duration: durationBetween(run.createdAt, end),
    queued_duration: durationBetween(run.createdAt, run.startedAt ?? end),
    run_duration: durationBetween(run.startedAt, end),
    duration_humanized: humanizedBetween(run.createdAt, end),
    queued_duration_humanized: humanizedBetween(run.createdAt, run.startedAt ?? end),
    run_duration_humanized: humanizedBetween(run.startedAt, end),
    trigger: viewTrigger(run),
    job: job && { ...job, schedule: inWords(job.schedule) },
    environment,
    run_steps: viewRunSteps(run, accountId, logs),
    href: `${origin}/api/v1/runs/${run.id}`,
    can_retry: code === 20 || code === 30,
    retry_not_supported_reason:
      code === 10 ? 'The run ended with success: nothing of it is left to do.' : null,
    retrying_run_id: run.retryOf,
    deferring_run_id: null,
  };
}

/** Where our own API is for whoever asks: the address the server is told it has, or the one it was asked at. */
export function originOf(
  { config }: Pick<Context, 'config'>,
  { header, isSecure }: { header(name: string): string | undefined; isSecure: boolean },
): string {
  const asked = `${isSecure ? 'https' : 'http'}://${header('host') ?? ''}`;
  return config.DCTL_PUBLIC_URL ?? (URL.canParse(asked) ? new URL(asked).origin : '');
}

function viewTrigger(run: StoredRun): RunView['trigger'] {
  const { overrides, commandOverride } = run;
  const own = commandOverride === null ? null : [commandOverride];
  return {
    id: run.number,
    job_definition_id: run.jobNumber,
    cause: run.cause ?? '',
    cause_category: categories[run.triggeredBy] ?? 'api',
    git_branch: null,
    git_sha: null,
    azure_pull_request_id: null,
    github_pull_request_id: null,
    gitlab_merge_request_id: null,
    non_native_pull_request_id: null,
    schema_override: overrides?.schema ?? null,
    dbt_version_override: null,
    threads_override: overrides?.threads ?? null,
    target_name_override: overrides?.target ?? null,
    generate_docs_override: overrides?.generateDocs ?? null,
    timeout_seconds_override: overrides?.timeoutSeconds ?? null,
    steps_override: overrides === null ? own : overrides.steps,
    created_at: timeOfRun(run.createdAt),
  };
}

const categories: Record<string, string> = {
  api: 'api',
  manual: 'ui',
  schedule: 'scheduled',
  event: 'job completion',
  retry: 'rerun',
};

/** Within a run clients read the parts of a schedule as texts. */
function inWords({ cron, date, time }: JobView['schedule']) {
  return { cron, date: date.type, time: time.type };
}

function lastOf(run: StoredRun): Date {
  const times = [run.createdAt, run.startedAt, run.cancelRequestedAt, run.finishedAt];
  const known = times.filter((time) => time !== null).map((time) => time.getTime());
  return new Date(Math.max(...known));
}

function hasDone(run: StoredRun, words: string[]): boolean {
  return run.begun.some(({ number, status }) => {
    const argv = run.steps[number - 1]?.argv ?? [];
    return status === 'success' && words.every((word, place) => argv[place] === word);
  });
}
