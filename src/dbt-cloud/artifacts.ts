import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { artifactsOf as artifacts } from '../runs/runs.ts';
import { requireJob, type JobKey } from './jobs.ts';
import { requireRun, type RunKey } from './run-answers.ts';
import { setUpSteps } from './run-steps.ts';
import { findLastSuccess, type StoredRun } from './run-store.ts';

/** The paths of what the run left; of several steps those of all, each once. */
export async function artifactsOf(
  context: Context,
  principal: Principal,
  key: RunKey,
  step: number | undefined,
): Promise<string[]> {
  const run = await requireRun(context, principal, key);
  const own = stepOfOurs(run, step);
  if (own === 'set-up') return [];
  const { data } = await goneAsMissing(() => artifacts(context, principal, run.id, own));
  return data.map(({ path }) => path);
}

/** The run and the step of ours that an artifact is asked of. */
export async function placeOfArtifact(
  context: Context,
  principal: Principal,
  key: RunKey,
  step: number | undefined,
): Promise<{ runId: string; step: number | undefined }> {
  const run = await requireRun(context, principal, key);
  const own = stepOfOurs(run, step);
  if (own === 'set-up') throw new AppError('not_found', 'The steps that prepare a run leave no artifacts.');
  return { runId: run.id, step: own };
}

/** The job's newest run that ended well. */
export async function lastSuccessOf(
  context: Context,
  principal: Principal,
  key: JobKey,
): Promise<{ runId: string; step: undefined }> {
  const job = await requireJob(context, principal, key);
  const runId = await findLastSuccess(context.db, job.id);
  if (runId === null) throw new AppError('not_found', 'No run of the job has ended with success.');
  return { runId, step: undefined };
}

/** What was removed is not there: clients know no other reason for that. */
export async function goneAsMissing<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'gone') throw error;
    throw new AppError('not_found', error.message, { cause: error });
  }
}

function stepOfOurs(run: StoredRun, step: number | undefined): number | undefined | 'set-up' {
  if (step === undefined) return undefined;
  const count = run.steps.length + setUpSteps;
  if (step > count) throw new AppError('not_found', `There is no such step: the run has ${count}.`);
  return step > setUpSteps ? step - setUpSteps : 'set-up';
}
