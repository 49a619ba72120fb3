import type { Database, Transaction } from '../db.ts';

/** Environments of a project that is there, oldest first: the first one is `production`, which every project has. */
export function listEnvironments(db: Database | Transaction, organizationId: string, projectId: string) {
  return db.environment.findMany({
    where: { projectId, deletedAt: null, project: { organizationId, deletedAt: null } },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  });
}

export function findEnvironment(
  db: Database | Transaction,
  key: { organizationId: string; projectId: string; id: string },
) {
  const { organizationId, projectId, id } = key;
  return db.environment.findFirst({
    where: { id, projectId, deletedAt: null, project: { organizationId, deletedAt: null } },
  });
}

export function updateEnvironment(
  db: Database | Transaction,
  id: string,
  data: {
    runnerImage?: string | null;
    memoryMb?: number | null;
    cpus?: number | null;
    network?: string | null;
  },
) {
  return db.environment.update({ where: { id }, data });
}
