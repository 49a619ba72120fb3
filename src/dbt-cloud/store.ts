import type pg from 'pg';
import { statement, type Database } from '../db.ts';
import type { ListPage } from './lists.ts';
import { inOrder, live, named, numbered, type NamedFilters } from './narrow-lists.ts';

export function findAccount(db: Database, id: string) {
  return db.organization.findUniqueOrThrow({
    where: { id },
    select: { id: true, number: true, name: true, createdAt: true },
  });
}

const projectFields = {
  id: true,
  number: true,
  name: true,
  createdAt: true,
  environments: {
    where: live,
    orderBy: { number: 'asc' },
    take: 1,
    select: { number: true, connection: true },
  },
} as const;

export type StoredProject = NonNullable<Awaited<ReturnType<typeof findProject>>>;

export function findProject(db: Database, organizationId: string, number: number) {
  return db.project.findFirst({ where: { organizationId, number, ...live }, select: projectFields });
}

export async function listProjects(
  db: Database,
  organizationId: string,
  filters: NamedFilters,
  page: ListPage<'id' | 'name' | 'created_at'>,
) {
  const where = { organizationId, ...live, ...named(filters) };
  const [rows, total] = await Promise.all([
    db.project.findMany({ where, select: projectFields, ...inOrder(page) }),
    db.project.count({ where }),
  ]);
  return { rows, total };
}

export const environmentFields = {
  id: true,
  number: true,
  name: true,
  threads: true,
  createdAt: true,
  project: { select: { id: true, number: true } },
} as const;

export type StoredEnvironment = NonNullable<Awaited<ReturnType<typeof findEnvironment>>>;

/** `projectNumber`: only one of this project. */
export function findEnvironment(
  db: Database,
  organizationId: string,
  { number, projectNumber }: { number: number; projectNumber?: number | undefined },
) {
  return db.environment.findFirst({
    where: {
      number,
      ...live,
      project: { organizationId, ...live, ...(projectNumber !== undefined && { number: projectNumber }) },
    },
    select: environmentFields,
  });
}

export async function listEnvironments(
  db: Database,
  organizationId: string,
  filters: NamedFilters,
  page: ListPage<'id' | 'name' | 'created_at'>,
) {
  const where = {
    ...live,
    ...named(filters),
    project: { organizationId, ...live, ...numbered(filters.projectNumbers) },
  };
  const [rows, total] = await Promise.all([
    db.environment.findMany({ where, select: environmentFields, ...inOrder(page) }),
    db.environment.count({ where }),
  ]);
  return { rows, total };
}

/** Deleted ones as well: runs go on pointing at them. */
export function findEnvironmentsById(db: Database, ids: string[]) {
  return db.environment.findMany({ where: { id: { in: ids } }, select: environmentFields });
}

/** What dbt called itself in the newest run of each environment that had one; of the few newest, for each. */
export async function findDbtVersions(pool: pg.Pool, environmentIds: string[]): Promise<Map<string, string>> {
  if (environmentIds.length === 0) return new Map();
  const rows = await dbtVersions(pool, [environmentIds]);
  return new Map(rows.map(({ environmentId, version }) => [environmentId, version]));
}

const dbtVersions = statement<{ environmentId: string; version: string }>(
  'dbt versions',
  `SELECT wanted.id AS "environmentId", last.version FROM unnest($1::text[]) AS wanted (id)
  CROSS JOIN LATERAL (
    SELECT program_version AS version
    FROM (
      SELECT id, created_at FROM runs WHERE environment_id = wanted.id ORDER BY created_at DESC, id DESC LIMIT 20
    ) AS newest
    JOIN run_steps ON run_steps.run_id = newest.id AND program_version IS NOT NULL
    ORDER BY newest.created_at DESC LIMIT 1) AS last`,
);
