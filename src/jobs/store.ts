import type pg from 'pg';
import { statement, type Database, type Prisma, type Transaction } from '../db.ts';
import type { EnvironmentSettings } from '../environments/environment-settings.ts';
import { newerThan, type Position } from '../paging.ts';
import type { JobWebhook } from '../webhooks/job-webhook.ts';
import type { JobSchedule } from './schedule.ts';
import type { JobManner } from './steps-of-run.ts';

export interface JobSettings extends JobWebhook, JobSchedule, JobManner {
  name: string;
  description: string;
  commands: string[];
  enabled: boolean;
  environmentId: string;
  timeoutSeconds: number;
  maxParallelRuns: number;
  retryAttempts: number;
  retryDelaySeconds: number;
  replaceQueued: boolean;
  /** What a dbt Cloud client wrote that means nothing here. Left out: what there is. */
  dbtCloud?: Prisma.InputJsonObject;
}

const live = { deletedAt: null } as const;
const liveJob = { ...live, project: live } as const;

/** The jobs it runs after, but for those that are not there any more. */
const runsAfter = {
  where: { afterJob: liveJob },
  select: { afterJobId: true, statuses: true },
  orderBy: { afterJobId: 'asc' },
} as const;

interface JobKey {
  organizationId: string;
  projectId: string;
  id: string;
}

/** With its project and environment. A deleted job is not found. */
export function findJob(db: Database | Transaction, key: JobKey) {
  return db.job.findFirst({ where: liveJobOf(key), include: { project: true, environment: true } });
}

/** What of a job a run of it is made of. */
export interface StoredJobToRun extends JobManner {
  name: string;
  commands: string[];
  enabled: boolean;
  timeoutSeconds: number;
  replaceQueued: boolean;
  projectType: string;
  environment: Record<keyof EnvironmentSettings, unknown>;
}

const jobToRun = statement<StoredJobToRun>(
  'job to run',
  `SELECT jobs.name, commands, enabled, jobs.timeout_seconds AS "timeoutSeconds", replace_queued AS "replaceQueued",
    jobs.threads, jobs.target, generate_docs AS "generateDocs", generate_sources AS "generateSources",
    projects.type AS "projectType", jsonb_build_object(
      'id', environments.id, 'name', environments.name, 'runnerImage', runner_image, 'memoryMb', memory_mb, 'cpus', cpus,
      'network', network, 'target', environments.target, 'threads', environments.threads,
      'timeoutSeconds', environments.timeout_seconds, 'hasDataVolume', has_data_volume, 'envVars', env_vars, 'connection', connection) AS environment
  FROM jobs
  JOIN projects ON projects.id = jobs.project_id
  JOIN environments ON environments.id = jobs.environment_id
  WHERE jobs.id = $1 AND jobs.project_id = $2 AND projects.organization_id = $3
    AND jobs.deleted_at IS NULL AND projects.deleted_at IS NULL`,
);

/** A deleted job is not found. */
export async function findJobToRun(
  db: pg.Pool | Database | Transaction,
  { organizationId, projectId, id }: JobKey,
): Promise<StoredJobToRun | undefined> {
  const [job] = await jobToRun(db, [id, projectId, organizationId]);
  return job;
}

/** With its project and the jobs it runs after. A deleted job is not found. */
export function findJobWithLinks(db: Database | Transaction, key: JobKey) {
  return db.job.findFirst({ where: liveJobOf(key), include: { project: true, runsAfter } });
}

function liveJobOf({ organizationId, projectId, id }: JobKey) {
  return { id, projectId, project: { organizationId, deletedAt: null }, ...live };
}

/** As it is now, deleted or not: a run may end after its job was deleted. */
export async function findJobOfRun(tx: Transaction, id: string): Promise<JobOfRun> {
  const [job] = await jobOfRun(tx, [id]);
  if (job === undefined) throw new Error('a run has no job');
  return job;
}

/** What the end of a run needs of its job. */
export interface JobOfRun extends JobWebhook {
  id: string;
  name: string;
  commands: string[];
  project: { id: string; name: string; type: string; organization: { id: string; name: string } };
}

const jobOfRun = statement<JobOfRun>(
  'job of run',
  `SELECT jobs.id, jobs.name, commands, webhook_enabled AS "webhookEnabled", webhook_url AS "webhookUrl",
    webhook_events AS "webhookEvents", webhook_headers AS "webhookHeaders", webhook_auth AS "webhookAuth", webhook_secret AS "webhookSecret",
    webhook_old_secret AS "webhookOldSecret", webhook_old_secret_until AS "webhookOldSecretUntil",
    jsonb_build_object('id', projects.id, 'name', projects.name, 'type', projects.type, 'organization',
      jsonb_build_object('id', organizations.id, 'name', organizations.name)) AS project
  FROM jobs
  JOIN projects ON projects.id = jobs.project_id
  JOIN organizations ON organizations.id = projects.organization_id
  WHERE jobs.id = $1`,
);

export function listJobs(db: Database, projectId: string, after: Position | undefined, limit: number) {
  return db.job.findMany({
    where: {
      projectId,
      ...live,
      ...newerThan(after),
    },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: limit,
    include: { runsAfter },
  });
}

export function findFirstJob(tx: Transaction, projectId: string) {
  return tx.job.findFirst({
    where: { projectId, ...live },
    orderBy: { createdAt: 'asc' },
    select: { id: true },
  });
}

export function insertJob(db: Database | Transaction, id: string, projectId: string, settings: JobSettings) {
  return db.job.create({ data: { id, projectId, ...settings } });
}

export function updateJob(
  db: Database | Transaction,
  id: string,
  settings: JobSettings & { updatedAt: Date },
) {
  return db.job.update({ where: { id }, data: settings, include: { runsAfter } });
}

/** What webhooks are signed with, sealed: the new secret, and the one before it for as long as it signs as well. */
export async function setWebhookSecrets(
  tx: Transaction,
  id: string,
  secrets: Pick<JobWebhook, 'webhookSecret' | 'webhookOldSecret' | 'webhookOldSecretUntil'>,
): Promise<void> {
  await tx.job.update({ where: { id }, data: secrets, select: { id: true } });
}

/** Runs keep pointing at it; nothing else finds it any more. */
export async function markJobDeleted(tx: Transaction, id: string): Promise<void> {
  await tx.job.updateMany({ where: { id, ...live }, data: { deletedAt: new Date() } });
  await tx.jobFollower.deleteMany({ where: { OR: [{ jobId: id }, { afterJobId: id }] } });
}

/** Changes of one job happen one at a time. The lock ends with the transaction. */
export async function lockJob(tx: Transaction, id: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM jobs WHERE id = ${id} FOR NO KEY UPDATE`;
}

/** What time it is: every schedule goes by the database's clock. */
export async function timeNow(db: Database | Transaction): Promise<Date> {
  const [row] = await db.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`;
  return row!.now;
}

/** A job with a schedule, and with what is needed to see whether it is due. */
export interface ScheduledJob {
  id: string;
  projectId: string;
  organizationId: string;
  cron: string;
  timezone: string;
  missed: string;
  nextAt: Date;
  now: Date;
}

/** The job that nobody else changes before the transaction has ended. Null: it is not there, or has no schedule. */
export async function lockScheduledJob(tx: Transaction, id: string): Promise<ScheduledJob | null> {
  const [job] = await tx.$queryRaw<ScheduledJob[]>`
    SELECT jobs.id, jobs.project_id AS "projectId", projects.organization_id AS "organizationId",
      schedule_cron AS cron, schedule_timezone AS timezone, schedule_missed AS missed, schedule_next_at AS "nextAt",
      clock_timestamp() AS now
    FROM jobs JOIN projects ON projects.id = jobs.project_id
    WHERE jobs.id = ${id} AND schedule_next_at IS NOT NULL AND jobs.deleted_at IS NULL AND projects.deleted_at IS NULL
    FOR NO KEY UPDATE OF jobs`;
  return job ?? null;
}

/** `problem`: why this time made no run; null when it made one; undefined when there was none to make. */
export async function setNextTime(
  tx: Transaction,
  id: string,
  nextAt: Date,
  problem: string | null | undefined,
): Promise<void> {
  const data = { scheduleNextAt: nextAt, ...(problem !== undefined && { scheduleProblem: problem }) };
  await tx.job.update({ where: { id }, data, select: { id: true } });
}

/** Jobs that have been due for so long, the longest first; no more than can be fired in a few seconds. */
export async function findDueJobs(db: Database, forSeconds: number): Promise<string[]> {
  const rows = await db.$queryRaw<{ id: string }[]>`
    SELECT jobs.id FROM jobs JOIN projects ON projects.id = jobs.project_id
    WHERE schedule_next_at <= clock_timestamp() - make_interval(secs => ${forSeconds})
      AND jobs.deleted_at IS NULL AND projects.deleted_at IS NULL
    ORDER BY schedule_next_at LIMIT 200`;
  return rows.map(({ id }) => id);
}

const scheduled = { ...liveJob, scheduleNextAt: { not: null } } as const;

export function countScheduledJobs(db: Database): Promise<number> {
  return db.job.count({ where: scheduled });
}

export interface CronOfJob {
  id: string;
  cron: string;
  timezone: string;
}

/** Of all jobs, or of those. */
export async function listScheduledJobs(db: Database, ids?: string[]): Promise<CronOfJob[]> {
  const rows = await db.job.findMany({
    where: { ...scheduled, ...(ids !== undefined && { id: { in: ids } }) },
    select: { id: true, scheduleCron: true, scheduleTimezone: true },
  });
  return rows.map(({ id, scheduleCron, scheduleTimezone }) => ({
    id,
    cron: scheduleCron!,
    timezone: scheduleTimezone!,
  }));
}

/** What the project's jobs run, and where; without those that are disabled. */
export function findCommands(
  tx: Transaction,
  projectId: string,
): Promise<(JobManner & { environmentId: string; commands: string[] })[]> {
  return tx.job.findMany({
    where: { projectId, enabled: true, ...live },
    select: {
      environmentId: true,
      commands: true,
      threads: true,
      target: true,
      generateDocs: true,
      generateSources: true,
    },
  });
}

/** The ids of a project's jobs that have a schedule. */
export async function findScheduledJobs(tx: Transaction, projectId: string): Promise<string[]> {
  const where = { projectId, scheduleNextAt: { not: null } };
  return (await tx.job.findMany({ where, select: { id: true } })).map(({ id }) => id);
}

/** A job that runs after another. */
export interface Link {
  jobId: string;
  afterJobId: string;
}

/** In an organization, jobs are tied to one another one at a time. The lock ends with the transaction. */
export async function lockLinks(tx: Transaction, organizationId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('run_after ' || ${organizationId}, 0))`;
}

export function findLinks(tx: Transaction, organizationId: string): Promise<Link[]> {
  return tx.jobFollower.findMany({
    where: { job: { ...live, project: { organizationId, ...live } } },
    select: { jobId: true, afterJobId: true },
  });
}

/** Those of the ids that are jobs of the organization. */
export async function findJobIds(
  tx: Transaction,
  organizationId: string,
  ids: string[],
): Promise<Set<string>> {
  const where = { id: { in: ids }, ...live, project: { organizationId, ...live } };
  return new Set((await tx.job.findMany({ where, select: { id: true } })).map(({ id }) => id));
}

export async function replaceLinks(
  tx: Transaction,
  jobId: string,
  links: { afterJobId: string; statuses: string[] }[],
): Promise<void> {
  await tx.jobFollower.deleteMany({ where: { jobId } });
  await tx.jobFollower.createMany({ data: links.map((link) => ({ jobId, ...link })) });
}

/** The jobs that run when a run of this one has ended so, in an order that is always the same. */
export function findFollowers(
  tx: Transaction,
  afterJobId: string,
  status: string,
): Promise<{ id: string; projectId: string }[]> {
  return tx.job.findMany({
    where: { ...liveJob, runsAfter: { some: { afterJobId, statuses: { has: status } } } },
    select: { id: true, projectId: true },
    orderBy: { id: 'asc' },
  });
}
