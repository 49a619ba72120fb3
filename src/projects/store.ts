import { randomUUID } from 'node:crypto';
import type { Database, Transaction } from '../db.ts';
import { newerThan, olderThan, type Position } from '../paging.ts';

const liveJobs = {
  where: { deletedAt: null },
  orderBy: { createdAt: 'asc' },
  select: { id: true, name: true, command: true },
} as const;

const projectFields = { id: true, name: true, type: true, createdAt: true, jobs: liveJobs } as const;

export function listProjects(
  db: Database,
  organizationId: string,
  after: Position | undefined,
  limit: number,
) {
  return db.project.findMany({
    where: {
      organizationId,
      ...newerThan(after),
    },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
    take: limit,
    select: projectFields,
  });
}

export function findProject(db: Database | Transaction, organizationId: string, id: string) {
  return db.project.findFirst({ where: { organizationId, id }, select: projectFields });
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

const environmentFields = {
  id: true,
  projectId: true,
  name: true,
  runnerImage: true,
  memoryMb: true,
  cpus: true,
  network: true,
  createdAt: true,
} as const;

export function listEnvironments(db: Database | Transaction, projectId: string) {
  return db.environment.findMany({
    where: { projectId },
    orderBy: { createdAt: 'asc' },
    select: environmentFields,
  });
}

export function findEnvironment(db: Database | Transaction, id: string, projectId: string) {
  return db.environment.findFirst({ where: { id, projectId }, select: environmentFields });
}

export function updateEnvironment(
  db: Database,
  id: string,
  data: {
    runnerImage?: string | null;
    memoryMb?: number | null;
    cpus?: number | null;
    network?: string | null;
  },
) {
  return db.environment.update({ where: { id }, data, select: environmentFields });
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

export function findNewestDeployment(db: Database | Transaction, projectId: string) {
  return db.deployment.findFirst({
    where: { projectId },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    select: deploymentFields,
  });
}
