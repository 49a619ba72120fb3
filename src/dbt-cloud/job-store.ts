import type { Database } from '../db.ts';
import type { ListPage } from './lists.ts';
import { inOrder, live, named, numbered, type NamedFilters } from './narrow-lists.ts';
import { environmentFields } from './store.ts';

const jobFields = {
  include: {
    project: { select: { id: true, number: true } },
    environment: { select: environmentFields },
    runsAfter: {
      where: { afterJob: { ...live, project: live } },
      select: {
        statuses: true,
        afterJob: { select: { id: true, number: true, project: { select: { number: true } } } },
      },
    },
  },
} as const;

export type StoredJob = NonNullable<Awaited<ReturnType<typeof findJob>>>;

export function findJob(db: Database, organizationId: string, which: { number: number } | { id: string }) {
  return db.job.findFirst({
    where: { ...which, ...live, project: { organizationId, ...live } },
    ...jobFields,
  });
}

export interface JobFilters extends NamedFilters {
  environmentNumbers?: number[] | undefined;
}

export async function listJobs(
  db: Database,
  organizationId: string,
  filters: JobFilters,
  page: ListPage<'id' | 'name' | 'created_at' | 'updated_at'>,
) {
  const where = {
    ...live,
    ...named(filters),
    project: { organizationId, ...live, ...numbered(filters.projectNumbers) },
    environment: numbered(filters.environmentNumbers),
  };
  const [rows, total] = await Promise.all([
    db.job.findMany({ where, ...jobFields, ...inOrder(page) }),
    db.job.count({ where }),
  ]);
  return { rows, total };
}

/** Deleted ones as well: runs go on pointing at them. */
export function findJobsById(db: Database, ids: string[]) {
  return db.job.findMany({ where: { id: { in: ids } }, ...jobFields });
}
