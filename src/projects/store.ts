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
export function insertProject(db: Database, project: { organizationId: string; name: string; type: string }) {
  return db.project.create({
    data: {
      id: randomUUID(),
      ...project,
      environments: { create: { id: randomUUID(), name: 'production' } },
    },
    select: projectFields,
  });
}

/** Deployments of one project are recorded one at a time. The lock ends with the transaction. */
export async function lockProject(tx: Transaction, id: string): Promise<void> {
  await tx.$queryRaw`SELECT id FROM projects WHERE id = ${id} FOR NO KEY UPDATE`;
}

const deploymentFields = {
  id: true,
  projectId: true,
  digest: true,
  sizeBytes: true,
  fileCount: true,
  deployedBy: true,
  createdAt: true,
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

export function listDeployments(db: Database, projectId: string, after: Position | undefined, limit: number) {
  return db.deployment.findMany({
    where: {
      projectId,
      ...olderThan(after),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit,
    select: deploymentFields,
  });
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

export async function findCurrentDeploymentId(db: Database, projectId: string): Promise<string | undefined> {
  const project = await db.project.findUnique({ where: { id: projectId }, select: { deploymentId: true } });
  return project?.deploymentId ?? undefined;
}
