import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Actor, Context, Principal } from '../context.ts';
import { unlessTaken, type Database, type Prisma, type Transaction } from '../db.ts';
import { AppError, invalidField } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { firstCommand } from '../commands/parse-command.ts';
import { projectTypeOf, type ProjectType } from '../commands/project-type.ts';
import { environmentOfJob } from '../environments/environment-of-job.ts';
import { requireProjectType } from '../environments/require-project.ts';
import {
  changedWebhook,
  noWebhook,
  oldSecretUntil,
  openSecret,
  webhookView,
} from '../webhooks/job-webhook.ts';
import { commandsOf, displayCommand } from './commands.ts';
import { saveRunAfter } from './run-after.ts';
import { changedSchedule, noSchedule, scheduleOf, scheduleView, type JobSchedule } from './schedule.ts';
import type { JobChange, jobList, jobView, NewJob, RunAfter } from './schema.ts';
import { usualManner, type JobManner } from './steps-of-run.ts';
import {
  findJobWithLinks,
  insertJob,
  listJobs,
  lockJob,
  lockLinks,
  markJobDeleted,
  timeNow,
  updateJob,
  type JobSettings,
} from './store.ts';

export const defaultTimeoutSeconds = 3_600;
export const defaultMaxParallelRuns = 1;
export const defaultRetryDelaySeconds = 60;

interface JobKey {
  projectId: string;
  jobId: string;
}

/** What a job may have that is made by a dbt Cloud client. */
export interface FromDbtCloud {
  /** What means nothing here. Of a change: what of it is another than before. */
  dbtCloud?: Prisma.InputJsonObject;
  /** Its runs get their commands with the trigger. */
  mayLackCommands?: boolean;
}

export async function createJob(
  context: Context,
  principal: Principal,
  projectId: string,
  wanted: NewJob,
  { dbtCloud = {}, mayLackCommands = false }: FromDbtCloud = {},
): Promise<z.input<typeof jobView>> {
  const { db, secrets, config } = context;
  const { organizationId } = principal;
  const job = await named(() =>
    db.$transaction(async (tx) => {
      const environmentId = await environmentOfJob(tx, organizationId, projectId, wanted.environment_id);
      const projectType = await requireProjectType(tx, organizationId, projectId);
      refuseWebhookUnlessDbt(projectType, wanted);
      refuseMannerUnlessDbt(projectType, wanted);
      const jobId = randomUUID();
      const settings: JobSettings = {
        name: wanted.name,
        description: wanted.description ?? '',
        commands: commandsOf(wanted, projectType) ?? (mayLackCommands ? [] : missingCommand(projectType)),
        enabled: wanted.enabled ?? true,
        environmentId,
        timeoutSeconds: wanted.timeout_seconds ?? defaultTimeoutSeconds,
        maxParallelRuns: wanted.max_parallel_runs ?? defaultMaxParallelRuns,
        retryAttempts: wanted.automatic_retries?.attempts ?? 0,
        retryDelaySeconds: wanted.automatic_retries?.delay_seconds ?? defaultRetryDelaySeconds,
        replaceQueued: wanted.replace_queued ?? false,
        ...changedManner(usualManner, wanted),
        dbtCloud,
        ...changedSchedule(noSchedule, wanted.schedule ?? null, await timeNow(tx)),
        ...changedWebhook(noWebhook, wanted, { jobId, secrets, allowCidrs: config.DCTL_WEBHOOK_ALLOW_CIDRS }),
      };
      await insertJob(tx, jobId, projectId, settings);
      if (wanted.run_after !== undefined) await saveRunAfter(tx, { organizationId, jobId }, wanted.run_after);
      await recordAudit(tx, principal, 'job.created', { kind: 'job', id: jobId }, { name: wanted.name });
      return storedJob(tx, principal, { projectId, jobId });
    }),
  );
  if (job.scheduleNextAt !== null) await ringForSchedule(context, job);
  return view(context, job);
}

/** Applies to runs recorded from now on: a run keeps the settings it was recorded with. */
export async function changeJob(
  context: Context,
  principal: Principal,
  { projectId, jobId }: JobKey,
  change: JobChange,
  { dbtCloud }: FromDbtCloud = {},
): Promise<z.input<typeof jobView>> {
  const { db, secrets, config } = context;
  const { organizationId } = principal;
  // Many changes at once wait for one another: as long for a turn as for a connection.
  const saved = await db.$transaction(
    async (tx) => {
      const job = await lockedJob(tx, principal, { projectId, jobId });
      const projectType = projectTypeOf(job.project.type);
      refuseWebhookUnlessDbt(projectType, change);
      refuseMannerUnlessDbt(projectType, change);
      const commands = commandsOf(change, projectType);
      const environmentId =
        change.environment_id === undefined
          ? job.environmentId
          : await environmentOfJob(tx, organizationId, projectId, change.environment_id);
      const now = await timeNow(tx);
      const schedule =
        change.schedule === undefined ? scheduleOf(job) : changedSchedule(job, change.schedule, now);
      const fields = [...Object.keys(change), ...(isEmpty(dbtCloud) ? [] : ['dbt_cloud'])];
      if (change.run_after !== undefined) await saveRunAfter(tx, { organizationId, jobId }, change.run_after);
      const changed = await named(() =>
        updateJob(tx, jobId, {
          name: change.name ?? job.name,
          description: change.description ?? job.description,
          commands: commands ?? job.commands,
          enabled: change.enabled ?? job.enabled,
          environmentId,
          timeoutSeconds: change.timeout_seconds ?? job.timeoutSeconds,
          maxParallelRuns: change.max_parallel_runs ?? job.maxParallelRuns,
          retryAttempts: change.automatic_retries?.attempts ?? job.retryAttempts,
          retryDelaySeconds: change.automatic_retries?.delay_seconds ?? job.retryDelaySeconds,
          replaceQueued: change.replace_queued ?? job.replaceQueued,
          ...changedManner(job, change),
          ...(!isEmpty(dbtCloud) && { dbtCloud: { ...(job.dbtCloud as object), ...dbtCloud } }),
          updatedAt: fields.length === 0 ? job.updatedAt : now,
          ...schedule,
          ...changedWebhook(job, change, { jobId, secrets, allowCidrs: config.DCTL_WEBHOOK_ALLOW_CIDRS }),
        }),
      );
      await recordAudit(tx, principal, 'job.changed', { kind: 'job', id: jobId }, { fields });
      return changed;
    },
    { maxWait: 5_000 },
  );
  if (change.schedule !== undefined) await ringForSchedule(context, saved);
  return view(context, saved);
}

export async function getJob(context: Context, { organizationId }: Principal, { projectId, jobId }: JobKey) {
  return view(context, await storedJob(context.db, { organizationId }, { projectId, jobId }));
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

/** Its runs stay readable, and those that are queued or running go on. No job runs after it any more. */
export async function deleteJob(
  { db, doorbell }: Context,
  principal: Principal,
  { projectId, jobId }: JobKey,
) {
  const { scheduleNextAt } = await db.$transaction(async (tx) => {
    const job = await lockedJob(tx, principal, { projectId, jobId });
    await lockLinks(tx, principal.organizationId);
    await markJobDeleted(tx, jobId);
    await recordAudit(tx, principal, 'job.deleted', { kind: 'job', id: jobId }, { name: job.name });
    return job;
  });
  if (scheduleNextAt !== null) await doorbell.ringNoMore(jobId);
}

/** The secret that the job's webhooks are signed with, for whoever runs the server. Null when no URL is set. */
export async function revealWebhookSecret(
  { db, secrets }: Context,
  actor: Actor,
  jobId: string,
): Promise<string | null> {
  return db.$transaction(async (tx) => {
    const job = await tx.job.findUnique({ where: { id: jobId }, include: { project: true } });
    const secret = job && openSecret(job, jobId, secrets);
    if (job === null || secret === null) return null;
    const { organizationId } = job.project;
    const subject = { kind: 'job', id: jobId };
    await recordAudit(tx, { organizationId, actor }, 'webhook.secret_revealed', subject);
    return secret;
  });
}

export function noSuchJob(): AppError {
  return new AppError('not_found', 'There is no such job.');
}

/** The job, which nobody else changes before the transaction has ended. */
async function lockedJob(tx: Transaction, principal: Principal, key: JobKey) {
  await lockJob(tx, key.jobId);
  return storedJob(tx, principal, key);
}

async function storedJob(
  db: Database | Transaction,
  { organizationId }: Pick<Principal, 'organizationId'>,
  { projectId, jobId }: JobKey,
) {
  const job = await findJobWithLinks(db, { organizationId, projectId, id: jobId });
  if (job === null) throw noSuchJob();
  return job;
}

/** To be called once the schedule is stored: should the queue be away, the sweeper makes up for it. */
async function ringForSchedule(
  { doorbell }: Context,
  { id, ...job }: JobSchedule & { id: string },
): Promise<void> {
  const { scheduleCron: cron, scheduleTimezone: timezone } = job;
  if (cron === null || timezone === null) await doorbell.ringNoMore(id);
  else await doorbell.ringAtTimesOf(id, { cron, timezone });
}

function refuseWebhookUnlessDbt(projectType: ProjectType, wanted: { webhook_enabled?: boolean | undefined }) {
  if (projectType === 'dbt' || wanted.webhook_enabled !== true) return;
  const detail =
    'Webhooks fire for dbt projects only, not for SQLMesh: leave webhook_enabled out, and ask for the run.';
  throw invalidField('/webhook_enabled', detail);
}

function changedManner(current: JobManner, wanted: JobChange): JobManner {
  return {
    target: wanted.target === undefined ? current.target : wanted.target,
    threads: wanted.threads === undefined ? current.threads : wanted.threads,
    generateDocs: wanted.generate_docs ?? current.generateDocs,
    generateSources: wanted.generate_sources ?? current.generateSources,
  };
}

function refuseMannerUnlessDbt(projectType: ProjectType, wanted: JobChange) {
  if (projectType === 'dbt') return;
  for (const field of ['target', 'threads', 'generate_docs', 'generate_sources'] as const) {
    if (!wanted[field]) continue;
    const detail = `${field} is for dbt projects only, and this one's type is ${projectType}: leave it out.`;
    throw invalidField(`/${field}`, detail);
  }
}

function isEmpty(given: object | undefined): boolean {
  return given === undefined || Object.keys(given).length === 0;
}

function missingCommand(projectType: ProjectType): never {
  const detail = `Give the command to run, such as "${firstCommand(projectType)}" (or several, as commands).`;
  throw invalidField('/command', detail);
}

const named = unlessTaken('The project has a job with this name. Choose another name.');

type StoredJob = Awaited<ReturnType<typeof listJobs>>[number];

function view({ secrets }: Context, job: StoredJob): z.input<typeof jobView> {
  return {
    id: job.id,
    project_id: job.projectId,
    environment_id: job.environmentId,
    name: job.name,
    description: job.description,
    command: displayCommand(job.commands),
    commands: job.commands,
    enabled: job.enabled,
    timeout_seconds: job.timeoutSeconds,
    max_parallel_runs: job.maxParallelRuns,
    schedule: scheduleView(job),
    run_after: job.runsAfter.map(({ afterJobId, statuses }) => ({
      job_id: afterJobId,
      statuses: statuses as RunAfter['statuses'],
    })),
    automatic_retries: { attempts: job.retryAttempts, delay_seconds: job.retryDelaySeconds },
    target: job.target,
    threads: job.threads,
    generate_docs: job.generateDocs,
    generate_sources: job.generateSources,
    replace_queued: job.replaceQueued,
    created_at: job.createdAt.toISOString(),
    updated_at: job.updatedAt.toISOString(),
    ...webhookView(job, job.id, secrets),
    webhook_previous_secret_until: oldSecretUntil(job)?.toISOString() ?? null,
  };
}
