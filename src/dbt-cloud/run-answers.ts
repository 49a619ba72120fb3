import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { requireAccount } from './accounts.ts';
import { findJobsById } from './job-store.ts';
import { viewJob } from './job-view.ts';
import { viewEnvironment } from './projects.ts';
import { findRun, type StoredRun } from './run-store.ts';
import { viewRun } from './run-view.ts';
import type { RunView } from './schema.ts';
import { readStepLogs } from './step-logs.ts';
import { findDbtVersions, findEnvironmentsById } from './store.ts';

export interface RunKey {
  account_id: number;
  run_id: number;
}

/** How an answer is to look. */
export interface Asking {
  /** Where our own API is, as the caller knows it. */
  origin: string;
  includeRelated: string[];
  signal: AbortSignal;
}

export async function requireRun(context: Context, principal: Principal, key: RunKey): Promise<StoredRun> {
  await requireAccount(context, principal, key.account_id);
  const run = await findRun(context.pool, principal.organizationId, { number: key.run_id });
  if (run === undefined) throw new AppError('not_found', 'There is no such run.');
  return run;
}

/** A run that was just recorded. Clients look into its job. */
export async function answerById(
  context: Context,
  { organizationId }: Principal,
  id: string,
  accountId: number,
  asking: Asking,
): Promise<RunView> {
  const run = await findRun(context.pool, organizationId, { id });
  if (run === undefined) throw new Error(`a run that was just recorded is missing: ${id}`);
  const [view] = await answersOf(context, [run], accountId, { ...asking, includeRelated: ['job'] });
  return view!;
}

export async function answerOf(
  context: Context,
  run: StoredRun,
  accountId: number,
  asking: Asking,
): Promise<RunView> {
  const logs = await readStepLogs(context, run, asking.includeRelated, asking.signal);
  const [view] = await answersOf(context, [run], accountId, asking, logs);
  return view!;
}

export async function answersOf(
  context: Context,
  runs: StoredRun[],
  accountId: number,
  { origin, includeRelated }: Pick<Asking, 'origin' | 'includeRelated'>,
  logs: Awaited<ReturnType<typeof readStepLogs>> = null,
): Promise<RunView[]> {
  const wanted = (related: string, id: 'jobId' | 'environmentId') =>
    includeRelated.includes(related) ? [...new Set(runs.map((run) => run[id]))] : [];
  const [jobIds, environmentIds] = [wanted('job', 'jobId'), wanted('environment', 'environmentId')];
  const [jobs, environments, versions] = await Promise.all([
    jobIds.length === 0 ? [] : findJobsById(context.db, jobIds),
    environmentIds.length === 0 ? [] : findEnvironmentsById(context.db, environmentIds),
    findDbtVersions(context.pool, environmentIds),
  ]);
  const jobOf = new Map(jobs.map((job) => [job.id, viewJob(job, accountId)]));
  const environmentOf = new Map(
    environments.map((row) => [row.id, viewEnvironment(row, accountId, versions.get(row.id) ?? null)]),
  );
  return runs.map((run) =>
    viewRun(run, {
      accountId,
      origin,
      job: jobOf.get(run.jobId) ?? null,
      environment: environmentOf.get(run.environmentId) ?? null,
      logs,
    }),
  );
}
