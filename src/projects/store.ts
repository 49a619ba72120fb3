import { randomUUID } from 'node:crypto';
import type { Database, Transaction } from '../db.ts';
import { newerThan, olderThan, type Position } from '../paging.ts';

const liveJobs = {
  where: { deletedAt: null },
  orderBy: { createdAt: 'asc' },
  select: { id: true, name: true, commands: true },
} as const;

const projectFields = {
  id: true,
  name: true,
  type: true,
  createdAt: true,
  deploymentId: true,
  deploymentSince: true,
  deploymentBy: true,
  jobs: liveJobs,
} as const;

export function listProjects(
  db: Database,
  organizationId: string,
  after: Position | undefined,
  limit: number,
) {
  return db.project.findMany({
    where: {
      organizationId,
      deletedAt: null,
      ...newerThan(after),
    },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: limit,
    select: projectFields,
  });
}

export function findProject(db: Database | Transaction, organizationId: string, id: string) {
  return db.project.findFirst({ where: { organizationId, id, deletedAt: null }, select: projectFields });
}

/** With the environment every project has. */
export function insertProject(
  db: Database | Transaction,
  project: { organizationId: string; name: string; type: string },
) {
  return db.project.create({
    data: {
      id: randomUUID(),
      ...project,
      environments: { create: { id: randomUUID(), name: 'production' } },
    },
    select: projectFields,
  });
}

export function updateProject(tx: Transaction, id: string, data: { name: string }) {
  return tx.project.update({ where: { id }, data, select: projectFields });
}

/** Whatever it has stays; nothing finds it any more but what belongs to its runs. */
export async function markProjectDeleted(tx: Transaction, id: string): Promise<void> {
  await tx.project.update({ where: { id }, data: { deletedAt: new Date() }, select: { id: true } });
}

/**
 * Changes of one project and its deployments happen one at a time; triggers go on meanwhile. The lock ends with the
 * transaction. False when there is no such project.
 */
export async function lockProject(tx: Transaction, organizationId: string, id: string): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT id FROM projects WHERE id = ${id} AND organization_id = ${organizationId} AND deleted_at IS NULL
    FOR NO KEY UPDATE`;
  return rows.length > 0;
}

/** How many runs of the project, or of one of its deployments, have not come to their end. */
export async function countOpenRuns(
  tx: Transaction,
  { projectId, deploymentId }: { projectId: string; deploymentId?: string },
): Promise<number> {
  const [row] = await tx.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM runs
    WHERE status IN ('queued', 'running') AND project_id = ${projectId}
      AND (${deploymentId ?? null}::text IS NULL OR deployment_id = ${deploymentId ?? null})`;
  return row?.count ?? 0;
}

const deploymentFields = {
  id: true,
  projectId: true,
  digest: true,
  sizeBytes: true,
  fileCount: true,
  deployedBy: true,
  createdAt: true,
  prunedAt: true,
} as const;

export function insertDeployment(
  tx: Transaction,
  deployment: {
    id: string;
    projectId: string;
    digest: string;
    sizeBytes: number;
    fileCount: number;
    deployedBy: string;
  },
) {
  return tx.deployment.create({ data: deployment, select: deploymentFields });
}

export function findDeployment(db: Database | Transaction, projectId: string, id: string) {
  return db.deployment.findFirst({ where: { id, projectId }, select: deploymentFields });
}

export function listDeployments(
  db: Database,
  where: { projectId: string; includePruned: boolean },
  after: Position | undefined,
  limit: number,
) {
  const { projectId, includePruned } = where;
  return db.deployment.findMany({
    where: {
      projectId,
      ...(includePruned ? {} : { prunedAt: null }),
      ...olderThan(after),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit,
    select: deploymentFields,
  });
}

/** Those that have their files, but for the newest. */
export async function findOldDeployments(db: Database, projectId: string, keep: number): Promise<string[]> {
  const rows = await db.deployment.findMany({
    where: { projectId, prunedAt: null },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    skip: keep,
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}

/**
 * Waits for triggers that are recording a run of the deployment (of all of the project's, where none is named), and
 * holds off further ones. The lock ends with the transaction.
 */
export async function lockDeployments(
  tx: Transaction,
  { projectId, deploymentId }: { projectId: string; deploymentId?: string },
): Promise<void> {
  await tx.$queryRaw`
    SELECT id FROM deployments
    WHERE project_id = ${projectId} AND (${deploymentId ?? null}::text IS NULL OR id = ${deploymentId ?? null})
    ORDER BY id FOR UPDATE`;
}

/** Marks those that are not marked yet, and returns them. */
export async function markPruned(
  tx: Transaction,
  { projectId, deploymentId }: { projectId: string; deploymentId?: string },
): Promise<string[]> {
  const rows = await tx.deployment.updateManyAndReturn({
    where: { projectId, prunedAt: null, ...(deploymentId === undefined ? {} : { id: deploymentId }) },
    data: { prunedAt: new Date() },
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}

/** Makes a deployment the one that runs recorded from now on use. */
export async function useDeployment(
  tx: Transaction,
  projectId: string,
  deployment: { id: string; by: string },
): Promise<void> {
  await tx.project.update({
    where: { id: projectId },
    data: { deploymentId: deployment.id, deploymentSince: new Date(), deploymentBy: deployment.by },
    select: { id: true },
  });
}
