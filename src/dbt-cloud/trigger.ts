import type { Context, Principal } from '../context.ts';
import { AppError, invalidField } from '../errors.ts';
import { retryAsked, retryRun as retry } from '../runs/retry.ts';
import { isFinal } from '../runs/status.ts';
import { runOfKey, type openTrigger } from '../runs/trigger.ts';
import type { StoredJob } from './job-store.ts';
import { requireJob, type JobKey } from './jobs.ts';
import { answerById, requireRun, type Asking, type RunKey } from './run-answers.ts';
import { findLastRun } from './run-store.ts';
import type { RunView } from './schema.ts';
import { findDbtVersions } from './store.ts';
import { overridesOf, type TriggerForm } from './trigger-form.ts';

export async function triggerRun(
  context: Context,
  trigger: ReturnType<typeof openTrigger>,
  principal: Principal,
  key: JobKey,
  form: TriggerForm,
  idempotencyKey: string | undefined,
  asking: Asking,
): Promise<RunView> {
  const job = await requireJob(context, principal, key);
  requireSameKey(form, key);
  requireReady(job, form?.steps_override ?? null);
  await requireDbtVersion(context, job.environmentId, form?.dbt_version_override);
  const where = { projectId: job.project.id, jobId: job.id };
  const request = form?.cause == null ? {} : { cause: form.cause };
  const { job_run_id: id } = await trigger(principal, where, request, {
    triggeredBy: 'api',
    idempotencyKey,
    overrides: overridesOf(form),
  });
  return answerById(context, principal, id, key.account_id, asking);
}

function requireSameKey(form: TriggerForm, key: JobKey): void {
  for (const field of ['account_id', 'job_id'] as const) {
    if (form?.[field] == null || form[field] === key[field]) continue;
    throw invalidField(`/${field}`, `Send the ${field} of the address, ${key[field]}, or leave it out.`);
  }
}

/** What our own trigger refuses as well, in dbt Cloud's words. `instead`: of the job's own commands. */
function requireReady(
  { enabled, commands, generateDocs }: Pick<StoredJob, 'enabled' | 'commands' | 'generateDocs'>,
  instead: string[] | null,
): void {
  const change = 'POST .../jobs/{job_id}/';
  if (!enabled)
    throw new AppError(
      'conflict',
      `The job is switched off: set its deactivated to false first (${change}).`,
    );
  if (commands.length === 0 && instead === null && !generateDocs)
    throw new AppError(
      'conflict',
      `The job has no commands: set its execute_steps (${change}), or send steps_override with the trigger (POST .../jobs/{job_id}/run/).`,
    );
}

/** What a rerun came to, with a sentence that says what was done. */
export interface Rerun {
  run: RunView;
  message: string;
}

/** What is left of the job's last run when that went wrong, else all of the job. */
export async function rerunJob(
  context: Context,
  trigger: ReturnType<typeof openTrigger>,
  principal: Principal,
  key: JobKey,
  idempotencyKey: string | undefined,
  asking: Asking,
): Promise<Rerun> {
  const job = await requireJob(context, principal, key);
  // What the last run is has changed with the first request; what was asked for has not.
  const asked = { jobId: job.id, asked: ['rerun'] };
  const earlier = await runOfKey(context, principal, idempotencyKey, asked);
  if (earlier !== null) {
    const run = await answerById(context, principal, earlier, key.account_id, asking);
    return { run, message: `Run ${run.id} was made by an earlier request with this Idempotency-Key.` };
  }

  const last = await findLastRun(context.db, job.id);
  const left = last && isFinal(last.status) && last.status !== 'success' ? last : null;
  const occasion = { idempotencyKey, asked: asked.asked };
  const continued = left && (await retryIfLeft(context, principal, left.id, occasion));
  const afresh = async () => {
    requireReady(job, null);
    const where = { projectId: job.project.id, jobId: job.id };
    return (await trigger(principal, where, {}, { triggeredBy: 'api', ...occasion })).job_run_id;
  };
  const id = continued ?? (await afresh());
  const run = await answerById(context, principal, id, key.account_id, asking);
  return {
    run,
    message:
      continued === null
        ? `Run ${run.id} runs all of the job: ${whyAfresh(last)}.`
        : `Run ${run.id} goes on from where run ${Number(left!.number)} failed.`,
  };
}

function whyAfresh(last: { number: bigint; status: string } | null): string {
  if (last === null) return 'it has not run before';
  if (!isFinal(last.status)) return `its last run, ${Number(last.number)}, has not come to its end`;
  if (last.status === 'success') return `its last run, ${Number(last.number)}, ended with success`;
  return `of its last run, ${Number(last.number)}, nothing is left that could be taken up`;
}

/** What is left of a run that went wrong; all that it did, with its overrides, of one that went well. */
export async function retryRun(
  context: Context,
  trigger: ReturnType<typeof openTrigger>,
  principal: Principal,
  key: RunKey,
  idempotencyKey: string | undefined,
  asking: Asking,
): Promise<Rerun> {
  const parent = await requireRun(context, principal, key);
  if (parent.status !== 'success') {
    const { job_run_id: id } = await retry(context, principal, parent.id, {}, idempotencyKey);
    const run = await answerById(context, principal, id, key.account_id, asking);
    return { run, message: `Run ${run.id} goes on from where run ${parent.number} failed.` };
  }
  const job = await requireJob(context, principal, { account_id: key.account_id, job_id: parent.jobNumber });
  const { overrides, commandOverride } = parent;
  const isOwnCommand = overrides === null && commandOverride !== null;
  requireReady(job, isOwnCommand ? [commandOverride] : (overrides?.steps ?? null));
  const { job_run_id: id } = await trigger(
    principal,
    { projectId: job.project.id, jobId: job.id },
    isOwnCommand ? { command_override: commandOverride } : {},
    {
      triggeredBy: 'api',
      idempotencyKey,
      overrides: overrides ?? undefined,
      asked: retryAsked(parent.id, {}),
    },
  );
  const run = await answerById(context, principal, id, key.account_id, asking);
  return { run, message: `Run ${run.id} does all of it again: run ${parent.number} ended with success.` };
}

/** Null: everything in it ended well, or what it did is not known any more. */
async function retryIfLeft(
  context: Context,
  principal: Principal,
  runId: string,
  { idempotencyKey, asked }: { idempotencyKey: string | undefined; asked: unknown },
): Promise<string | null> {
  try {
    return (await retry(context, principal, runId, {}, idempotencyKey, asked)).job_run_id;
  } catch (error) {
    if (error instanceof AppError && ['conflict', 'gone'].includes(error.code)) return null;
    throw error;
  }
}

/** Another version than the environment's can't be had; its own may be named. */
async function requireDbtVersion(
  { pool }: Context,
  environmentId: string,
  wanted: string | null | undefined,
): Promise<void> {
  if (wanted == null) return;
  const own = (await findDbtVersions(pool, [environmentId])).get(environmentId);
  if (own === wanted) return;
  const runs = own === undefined ? '' : ` It runs dbt ${own}.`;
  throw invalidField(
    '/dbt_version_override',
    `The runner image of the job's environment says which dbt runs: set its runner_image (PATCH .../environments/{environment_id}), and leave dbt_version_override out.${runs}`,
  );
}
