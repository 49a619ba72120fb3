import type { Database, Transaction } from '../db.ts';

/** Jobs of the organization that are there, and those of `alsoDeleted` whatever became of them. */
export function findJobsByNumber(
  db: Database | Transaction,
  organizationId: string,
  numbers: number[],
  alsoDeleted: string[],
): Promise<{ id: string; number: bigint }[]> {
  return db.job.findMany({
    where: {
      number: { in: numbers },
      project: { organizationId },
      OR: [{ deletedAt: null, project: { deletedAt: null } }, { id: { in: alsoDeleted } }],
    },
    select: { id: true, number: true },
  });
}

export function findNumbersOfJobs(db: Database, ids: string[]): Promise<{ id: string; number: bigint }[]> {
  return db.job.findMany({ where: { id: { in: ids } }, select: { id: true, number: true } });
}
