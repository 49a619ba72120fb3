import type { Context, Principal } from '../context.ts';
import { AppError, invalidField } from '../errors.ts';
import * as ours from '../jobs/jobs.ts';
import { requireAccount } from './accounts.ts';
import {
  readJobForm,
  requireNewJob,
  requireSteps,
  type Current,
  type JobForm,
  type JobWrite,
} from './job-form.ts';
import { noSchedule } from './job-schedule.ts';
import { inTheirWords } from './in-their-words.ts';
import { findJob, listJobs, type StoredJob } from './job-store.ts';
import { keptOf, noTimeoutSeconds, viewJob } from './job-view.ts';
import { both, listed, pageOf } from './lists.ts';
import { noSuchEnvironment, requireProject } from './projects.ts';
import type { JobQuery } from './queries.ts';
import type { JobView } from './schema.ts';
import { findDbtVersions, findEnvironment } from './store.ts';

export interface JobKey {
  account_id: number;
  job_id: number;
}

export async function jobsOf(context: Context, principal: Principal, accountId: number, query: JobQuery) {
  await requireAccount(context, principal, accountId);
  // Deleted ones are not to be had any more.
  if (query.state.length > 0 && !query.state.includes('1')) return listed<JobView>([], query, 0);
  const filters = {
    name: query.name,
    nameContains: query.name__icontains,
    projectNumbers: both(query.project_id, query.project_id__in),
    environmentNumbers: both(query.environment_id, query.environment_id__in),
  };
  const { rows, total } = await listJobs(context.db, principal.organizationId, filters, pageOf(query));
  return listed(await viewJobs(context, rows, accountId, query.include_related), query, total);
}

export async function getJob(
  context: Context,
  principal: Principal,
  key: JobKey,
  includeRelated: string[] = [],
): Promise<JobView> {
  const job = await requireJob(context, principal, key);
  const [view] = await viewJobs(context, [job], key.account_id, includeRelated);
  return view!;
}

export async function createJob(
  context: Context,
  principal: Principal,
  accountId: number,
  form: JobForm,
): Promise<JobView> {
  await requireAccount(context, principal, accountId);
  requireSameAccount(form, accountId);
  const wanted = requireNewJob(form);
  if (form.triggers?.schedule === true && form.schedule == null) {
    throw invalidField('/schedule', 'Give the schedule that triggers.schedule is about.');
  }
  requireSteps(form, { execute_steps: [], triggers: nothing.shown.triggers });
  const project = await requireProject(context, principal, wanted.project);
  const environmentId = await environmentIdOf(context, principal, wanted.environment, wanted.project);
  const write = readJobForm(form, nothing);
  const job = await inTheirWords(async () =>
    ours.createJob(
      context,
      principal,
      project.id,
      {
        timeout_seconds: noTimeoutSeconds,
        ...write.change,
        name: wanted.name,
        environment_id: environmentId,
        ...(await runAfterOf(context, principal, write)),
      },
      {
        dbtCloud: { no_timeout: write.change.timeout_seconds === undefined, ...write.kept },
        mayLackCommands: true,
      },
    ),
  );
  return shownById(context, principal, accountId, job.id);
}

/** The job after it; `state` 2 when the change was to delete it. */
export async function changeJob(
  context: Context,
  principal: Principal,
  key: JobKey,
  form: JobForm,
): Promise<JobView> {
  const job = await requireJob(context, principal, key);
  requireSameAccount(form, key.account_id);
  if (form.state === 2) return deleteJob(context, principal, key);
  if (form.project_id != null && form.project_id !== Number(job.project.number)) {
    throw invalidField('/project_id', 'A job stays in its project: make one in the other project instead.');
  }
  const current = currentOf(job, key.account_id);
  requireSteps(form, current.shown);
  const write = readJobForm(form, current);
  const { environment_id: wanted } = form;
  const environmentId =
    wanted == null || wanted === current.shown.environment_id
      ? undefined
      : await environmentIdOf(context, principal, wanted, Number(job.project.number));
  await inTheirWords(async () => {
    const change = {
      ...write.change,
      ...(environmentId !== undefined && { environment_id: environmentId }),
      ...(await runAfterOf(context, principal, write)),
    };
    const where = { projectId: job.project.id, jobId: job.id };
    await ours.changeJob(context, principal, where, change, { dbtCloud: write.kept });
  });
  return getJob(context, principal, key);
}

/** The job as it was. Its runs stay. */
export async function deleteJob(context: Context, principal: Principal, key: JobKey): Promise<JobView> {
  const job = await requireJob(context, principal, key);
  await ours.deleteJob(context, principal, { projectId: job.project.id, jobId: job.id });
  return { ...viewJob(job, key.account_id), state: 2 };
}

export async function requireJob(context: Context, principal: Principal, key: JobKey): Promise<StoredJob> {
  await requireAccount(context, principal, key.account_id);
  const job = await findJob(context.db, principal.organizationId, { number: key.job_id });
  if (job === null) throw new AppError('not_found', 'There is no such job.');
  return job;
}

async function viewJobs(context: Context, jobs: StoredJob[], accountId: number, includeRelated: string[]) {
  const withEnvironment = includeRelated.includes('environment');
  const ids = withEnvironment ? jobs.map(({ environmentId }) => environmentId) : [];
  const versions = await findDbtVersions(context.pool, ids);
  return jobs.map((job) => {
    const dbtVersion = versions.get(job.environmentId) ?? null;
    return viewJob(job, accountId, { environment: withEnvironment ? { dbtVersion } : null });
  });
}

async function shownById(context: Context, { organizationId }: Principal, accountId: number, id: string) {
  const job = await findJob(context.db, organizationId, { id });
  if (job === null) throw new AppError('not_found', 'The job was deleted just after it was made.');
  return viewJob(job, accountId);
}

function currentOf(job: StoredJob, accountId: number): Current {
  return {
    shown: viewJob(job, accountId),
    kept: keptOf(job),
    timezone: job.scheduleTimezone,
    missed: job.scheduleMissed === 'skip' ? 'skip' : job.scheduleMissed === null ? null : 'run_once',
  };
}

/** Before a job is made: whatever is sent for it counts. */
const nothing: Current = {
  shown: {
    settings: { threads: 0, target_name: '' },
    execution: { timeout_seconds: -1 },
    triggers: { schedule: false },
    schedule: noSchedule,
    job_completion_trigger_condition: null,
  } as JobView,
  kept: {},
  timezone: null,
  missed: null,
};

function requireSameAccount(form: JobForm, accountId: number): void {
  if (form.account_id == null || form.account_id === accountId) return;
  throw invalidField('/account_id', `Send the account_id of the address, ${accountId}, or leave it out.`);
}

async function environmentIdOf(
  { db }: Context,
  { organizationId }: Principal,
  number: number,
  projectNumber: number,
): Promise<string> {
  const environment = await findEnvironment(db, organizationId, { number, projectNumber });
  if (environment === null) throw noSuchEnvironment();
  return environment.id;
}

async function runAfterOf({ db }: Context, { organizationId }: Principal, { runAfter }: JobWrite) {
  if (runAfter === undefined) return {};
  if (runAfter === null) return { run_after: [] };
  const { number, project: projectNumber, statuses } = runAfter;
  const job = await findJob(db, organizationId, { number });
  if (job === null) throw refusedCondition('job_id', 'give the id of a job of your account');
  const own = Number(job.project.number);
  if (projectNumber !== null && projectNumber !== own)
    throw refusedCondition(
      'project_id',
      `job ${number} is in project ${own}: send that, or leave project_id out`,
    );
  return { run_after: [{ job_id: job.id, statuses }] };
}

function refusedCondition(field: 'job_id' | 'project_id', detail: string): AppError {
  const path = ['job_completion_trigger_condition', 'condition', field];
  return invalidField(`/${path.join('/')}`, `${path.join('.')}: ${detail}.`);
}
