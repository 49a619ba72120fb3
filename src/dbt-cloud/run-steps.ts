import { isCancelled } from '../webhooks/run-event.ts';
import type { RunStepView } from './schema.ts';
import { statusNames, type StatusCode } from './status.ts';
import type { StoredRun, StoredStep } from './run-store.ts';
import { durationBetween, humanizedBetween, orNull, timeOfRun } from './times.ts';

/** What comes before a run's commands, as dbt Cloud's clients count: none of it is a command of ours. */
export const setUpSteps = 3;

/** The texts of our steps' logs by their numbers. `debug`: also where clients look for the debug log. */
export interface StepLogs {
  texts: Map<number, string>;
  debug: boolean;
}

/** All of a run's steps in their order, also those that have not begun. */
export function viewRunSteps(run: StoredRun, accountId: number, logs: StepLogs | null): RunStepView[] {
  const steps = [...setUp(run), ...run.steps.map((_, place) => ownStep(run, place + 1, logs))];
  return steps.map(({ status, from, to, ...step }, place) => {
    const index = place + 1;
    return {
      // Within a run there are fewer than these.
      id: run.number * 1_000 + index,
      run_id: run.number,
      account_id: accountId,
      index,
      name: step.name,
      status: status === 'skipped' ? 30 : status,
      status_humanized: status === 'skipped' ? 'Skipped' : statusNames[status],
      logs: step.log,
      debug_logs: logs?.debug === true ? step.log : null,
      truncated_debug_logs: null,
      created_at: orNull(from, timeOfRun),
      updated_at: orNull(to ?? from, timeOfRun),
      started_at: orNull(from, timeOfRun),
      finished_at: orNull(to, timeOfRun),
      duration: durationBetween(from, to),
      duration_humanized: humanizedBetween(from, to),
    };
  });
}

interface Step {
  name: string;
  status: StatusCode | 'skipped';
  log: string;
  from: Date | null;
  to: Date | null;
}

/** The three are over when the first command begins: until then the first of them is at work, or went wrong. */
function setUp(run: StoredRun): Step[] {
  const { deploymentDigest: digest, environmentName, connectionType } = run;
  const isOver = run.begun.length > 0 || run.status === 'success';
  const to = run.begun[0]?.startedAt ?? run.finishedAt;
  const profile = connectionType ?? "the project's profiles.yml";
  const steps: [name: string, log: string][] = [
    ['Clone git repository', `The run's code is the project's deployment ${digest}.`],
    [`Create profile from connection ${profile}`, `The environment is "${environmentName}".`],
    ['Invoke dbt with `dbt deps`', 'What this prints is in the log of the first command.'],
  ];
  return steps.map(([name, log], place) => {
    const status = isOver ? 10 : statusBefore(run, place);
    const hasBegun = run.startedAt !== null && (isOver || place === 0);
    return {
      name,
      status,
      log: status === 20 ? `${log}\n${run.errorMessage ?? ''}` : log,
      from: hasBegun ? run.startedAt : null,
      to: hasBegun && (isOver || run.finishedAt !== null) ? to : null,
    };
  });
}

function statusBefore(run: StoredRun, place: number): Step['status'] {
  if (run.status === 'queued') return 1;
  if (run.status === 'running') return place === 0 ? 3 : 1;
  if (isCancelled(run)) return 30;
  return place === 0 ? 20 : 'skipped';
}

function ownStep(run: StoredRun, number: number, logs: StepLogs | null): Step {
  const begun = run.begun.find((step) => step.number === number);
  return {
    name: `Invoke dbt with \`${run.steps[number - 1]!.command}\``,
    status: statusOf(run, begun),
    log: logs?.texts.get(number) ?? '',
    from: begun?.startedAt ?? null,
    to: begun === undefined ? null : (begun.finishedAt ?? run.finishedAt),
  };
}

function statusOf(run: StoredRun, begun: StoredStep | undefined): Step['status'] {
  const isOpen = run.status === 'queued' || run.status === 'running';
  if (begun === undefined) {
    if (isOpen) return 1;
    return isCancelled(run) ? 30 : 'skipped';
  }
  if (begun.status === 'success') return 10;
  if (begun.status === 'running' && isOpen) return 3;
  return isCancelled(run) ? 30 : 20;
}
