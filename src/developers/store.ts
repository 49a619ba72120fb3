import type { Database } from '../db.ts';

export async function findWorkspaceNumber(db: Database, organizationId: string): Promise<bigint> {
  const where = { id: organizationId };
  return (await db.organization.findUniqueOrThrow({ where, select: { number: true } })).number;
}

/** Oldest first. */
export async function listJobs(
  db: Database,
  organizationId: string,
  { limit, offset }: { limit: number; offset: number },
) {
  const live = { deletedAt: null };
  const where = { ...live, project: { organizationId, ...live } };
  const [rows, total] = await Promise.all([
    db.job.findMany({
      where,
      select: { id: true, name: true, enabled: true, environment: { select: { connection: true } } },
      orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      take: limit,
      skip: offset,
    }),
    db.job.count({ where }),
  ]);
  return { rows, total };
}
