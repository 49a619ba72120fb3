import type { Database, Transaction } from '../db.ts';
import { newerThan, type Position } from '../paging.ts';
import type { JobWebhook } from '../webhooks/job-webhook.ts';

export interface JobSettings extends JobWebhook {
  name: string;
  commands: string[];
  enabled: boolean;
  environmentId: string;
  timeoutSeconds: number;
  maxParallelRuns: number;
}

const live = { deletedAt: null } as const;

/** With its project and environment. A deleted job is not found. */
export function findJob(
  db: Database | Transaction,
  key: { organizationId: string; projectId: string; id: string },
) {
  const { organizationId, projectId, id } = key;
  return db.job.findFirst({
    where: { id, projectId, project: { organizationId, deletedAt: null }, ...live },
    include: { project: true, environment: true },
  });
}

/** As it is now, deleted or not: a run may end after its job was deleted. */
export function findJobOfRun(tx: Transaction, id: string) {
  return tx.job.findUniqueOrThrow({
    where: { id },
    include: { project: { include: { organization: true } } },
  });
}

export function listJobs(db: Database, projectId: string, after: Position | undefined, limit: number) {
  return db.job.findMany({
    where: {
      projectId,
      ...live,
      ...newerThan(after),
    },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: limit,
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

export function updateJob(db: Database | Transaction, id: string, settings: JobSettings) {
  return db.job.update({ where: { id }, data: settings });
}

/** Runs keep pointing at it; nothing else finds it any more. */
export async function markJobDeleted(db: Database | Transaction, id: string): Promise<void> {
  await db.job.updateMany({ where: { id, ...live }, data: { deletedAt: new Date() } });
}

/** Changes of one job happen one at a time. The lock ends with the transaction. */
export async function lockJob(tx: Transaction, id: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM jobs WHERE id = ${id} FOR NO KEY UPDATE`;
}
