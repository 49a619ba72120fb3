import { z } from 'zod';
import { AppError } from '../errors.ts';
import { runSettings, type stepView } from './schema.ts';
import type { BegunStep } from './shown-runs.ts';
import { isFinal, tallyNodes } from './status.ts';

interface StoredRun {
  status: string;
  errorMessage: string | null;
  finishedAt: Date | null;
  settings: unknown;
}

/** A run's steps, also those that have not begun. `stored` and `counts` are the run's own. */
export function viewSteps(
  run: StoredRun,
  stored: BegunStep[],
  counts: { step: number; status: string; count: number }[],
): z.input<typeof stepView>[] {
  return commandsOf(run).map((command, place) => {
    const number = place + 1;
    const begun = stored.find((row) => row.number === number && row.startedAt !== null);
    const nodes = tallyNodes(counts.filter(({ step }) => step === number));
    const status = begun === undefined ? notBegun(run) : statusOf(run, begun.status);
    // What its run died of is all that is known of a step that was cut short.
    const diedWithRun = begun?.status === 'running' && status === 'error' ? run : undefined;
    return {
      number,
      command,
      status,
      exit_code: begun?.exitCode ?? null,
      error_message: (diedWithRun ?? begun)?.errorMessage ?? null,
      start_time: begun?.startedAt?.toISOString() ?? null,
      end_time: (diedWithRun ?? begun)?.finishedAt?.toISOString() ?? null,
      nodes_succeeded: nodes.succeeded,
      nodes_failed: nodes.failed,
      nodes_skipped: nodes.skipped,
    };
  });
}

/** Throws `not_found` for a step that the run does not have. */
export function requireStep(run: StoredRun, step: number | undefined): void {
  const { length } = commandsOf(run);
  if (step === undefined || step <= length) return;
  throw new AppError('not_found', `There is no such step: the run has ${length}.`);
}

const withSteps = runSettings.pick({ steps: true });

function commandsOf({ settings }: StoredRun): string[] {
  return withSteps.parse(settings).steps.map(({ command }) => command);
}

function notBegun({ status }: StoredRun): 'queued' | 'skipped' {
  return isFinal(status) ? 'skipped' : 'queued';
}

function statusOf(run: StoredRun, status: string): 'running' | 'success' | 'failed' | 'error' {
  if (status === 'success') return 'success';
  // It had no fair chance, whatever it said in the end.
  if (run.status === 'error') return 'error';
  return status === 'running' && !isFinal(run.status) ? 'running' : 'failed';
}
