import type { Context } from '../src/context.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import { artifactsStored } from '../src/runs/pending-artifacts.ts';
import { resultsOf } from './complete-results.ts';
import { retryFolder } from './dbt/container-spec.ts';
import type { Results } from './dbt/run-results.ts';

const gone =
  'The results of the run that it retries are no longer there, so what that run left undone is not known: trigger the job instead.';
const hidden =
  'The run that it retries had a secret among its --vars, which was not kept: trigger the job instead.';

/**
 * The file that a `dbt retry` goes on from, below the work folder: none for any other run. `problem`: why there is none
 * for this one, for users.
 */
export async function restoreResults(
  context: Context,
  { settings, launchedAt }: ClaimedRun,
): Promise<{ path: string; content: string }[] | { problem: string }> {
  const { retryFrom } = settings;
  // Of a run that is taken over they are in its container already.
  if (retryFrom === null || launchedAt !== null) return [];
  const results = await resultsOf(context, retryFrom.runId, retryFrom.step);
  if (results === null) return { problem: gone };
  if (JSON.stringify(results.content.args['vars'] ?? '').includes('*****')) return { problem: hidden };
  const content = JSON.stringify(withSpelledArguments(results.content));
  return [{ path: `${retryFolder}/run_results.json`, content }];
}

/**
 * The same once all that the run left is stored which it retries: that may have ended only just now. When that takes too
 * long, what is known of its nodes has to do.
 */
export async function restoreWhenStored(
  context: Context,
  run: ClaimedRun,
  letGo: AbortSignal | undefined,
): ReturnType<typeof restoreResults> {
  const { retryFrom } = run.settings;
  const forMs = context.config.DCTL_WORKER_LOST_SECONDS * 1_000;
  if (retryFrom !== null) await artifactsStored(context, retryFrom.runId, { forMs, signal: letGo });
  return restoreResults(context, run);
}

/**
 * dbt makes words of a command line from the arguments, and spells objects in Python's way, where it then reads YAML:
 * a null would come back as the text "None". JSON comes back as it was.
 */
function withSpelledArguments(results: Results): Results {
  const spelled = ['vars', 'sqlparse'].filter((name) => typeof results.args[name] === 'object');
  const args = Object.fromEntries(spelled.map((name) => [name, JSON.stringify(results.args[name])]));
  return { ...results, args: { ...results.args, ...args } };
}
