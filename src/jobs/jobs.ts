import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import { isTaken } from '../db.ts';
import { AppError } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { environmentOfJob } from '../environments/environment-of-job.ts';
import { changedWebhook, noWebhook, openSecret, webhookView } from '../webhooks/job-webhook.ts';
import { commandsOf, displayCommand } from './commands.ts';
import type { JobChange, jobList, jobView, NewJob } from './schema.ts';
import {
  findJob,
  insertJob,
  listJobs,
  lockJob,
  markJobDeleted,
  updateJob,
  type JobSettings,
} from './store.ts';

export const defaultTimeoutSeconds = 3_600;
export const defaultMaxParallelRuns = 1;

interface JobKey {
  projectId: string;
  jobId: string;
}

export async function createJob(
  context: Context,
  { organizationId }: Principal,
  projectId: string,
  wanted: NewJob,
): Promise<z.input<typeof jobView>> {
  const { db, secrets, config } = context;
  const environmentId = await environmentOfJob(db, organizationId, projectId, wanted.environment_id);
  const jobId = randomUUID();
  const settings: JobSettings = {
    name: wanted.name,
    commands: commandsOf(wanted) ?? missingCommand(),
    enabled: wanted.enabled ?? true,
    environmentId,
    timeoutSeconds: wanted.timeout_seconds ?? defaultTimeoutSeconds,
    maxParallelRuns: wanted.max_parallel_runs ?? defaultMaxParallelRuns,
    ...changedWebhook(noWebhook, wanted, { jobId, secrets, allowCidrs: config.DCTL_WEBHOOK_ALLOW_CIDRS }),
  };
  const job = await named(() => insertJob(db, jobId, projectId, settings));
  return view(context, job);
}

/** Applies to runs recorded from now on: a run keeps the settings it was recorded with. */
export async function changeJob(
  context: Context,
  { organizationId }: Principal,
  { projectId, jobId }: JobKey,
  change: JobChange,
): Promise<z.input<typeof jobView>> {
  const { db, secrets, config } = context;
  const commands = commandsOf(change);
  return db.$transaction(async (tx) => {
    await lockJob(tx, jobId);
    const job = await findJob(tx, { organizationId, projectId, id: jobId });
    if (job === null) throw noSuchJob();
    const environmentId =
      change.environment_id === undefined
        ? job.environmentId
        : await environmentOfJob(tx, organizationId, projectId, change.environment_id);
    const changed = await named(() =>
      updateJob(tx, jobId, {
        name: change.name ?? job.name,
        commands: commands ?? job.commands,
        enabled: change.enabled ?? job.enabled,
        environmentId,
        timeoutSeconds: change.timeout_seconds ?? job.timeoutSeconds,
        maxParallelRuns: change.max_parallel_runs ?? job.maxParallelRuns,
        ...changedWebhook(job, change, { jobId, secrets, allowCidrs: config.DCTL_WEBHOOK_ALLOW_CIDRS }),
      }),
    );
    return view(context, changed);
  });
}

export async function getJob(context: Context, { organizationId }: Principal, { projectId, jobId }: JobKey) {
  const job = await findJob(context.db, { organizationId, projectId, id: jobId });
  if (job === null) throw noSuchJob();
  return view(context, job);
}

/** A project's jobs, oldest first. */
export async function jobsOf(
  context: Context,
  { organizationId }: Principal,
  projectId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof jobList>> {
  await environmentOfJob(context.db, organizationId, projectId, undefined);
  const rows = await listJobs(context.db, projectId, decodeCursor(page.cursor), page.limit + 1);
  return pageOf(rows, page.limit, (row) => view(context, row));
}

/** Its runs stay readable, and those that are queued or running go on. */
export async function deleteJob(
  { db }: Context,
  { organizationId }: Principal,
  { projectId, jobId }: JobKey,
) {
  const job = await findJob(db, { organizationId, projectId, id: jobId });
  if (job === null) throw noSuchJob();
  await markJobDeleted(db, jobId);
}

/** The secret that the job's webhooks are signed with, for whoever runs the server. Null when no URL is set. */
export async function revealWebhookSecret({ db, secrets }: Context, jobId: string): Promise<string | null> {
  const job = await db.job.findUnique({ where: { id: jobId } });
  return job === null ? null : openSecret(job, jobId, secrets);
}

export function noSuchJob(): AppError {
  return new AppError('not_found', 'There is no such job.');
}

function missingCommand(): never {
  const detail = 'Give the command to run, such as "dbt build" (or several, as commands).';
  throw new AppError('invalid_request', detail, { problems: [{ pointer: '/command', detail }] });
}

async function named<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new AppError('conflict', 'The project has a job with this name. Choose another name.', {
      cause: error,
    });
  }
}

type StoredJob = Awaited<ReturnType<typeof insertJob>>;

function view({ secrets }: Context, job: StoredJob): z.input<typeof jobView> {
  return {
    id: job.id,
    project_id: job.projectId,
    environment_id: job.environmentId,
    name: job.name,
    command: displayCommand(job.commands),
    commands: job.commands,
    enabled: job.enabled,
    timeout_seconds: job.timeoutSeconds,
    max_parallel_runs: job.maxParallelRuns,
    created_at: job.createdAt.toISOString(),
    ...webhookView(job, job.id, secrets),
  };
}
