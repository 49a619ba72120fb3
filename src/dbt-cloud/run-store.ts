import type pg from 'pg';
import { statement, type Database } from '../db.ts';
import type { RunOverrides } from '../runs/schema.ts';
import { withTimes } from '../runs/shown-runs.ts';
import type { ListPage } from './lists.ts';
import { numbered } from './narrow-lists.ts';
import { pageOfRuns, totalOfRuns, type RunFilters } from './run-filters.ts';

/** What is shown of a run. */
export interface StoredRun {
  id: string;
  number: number;
  jobId: string;
  environmentId: string;
  jobNumber: number;
  projectNumber: number;
  environmentNumber: number;
  environmentName: string;
  status: string;
  statusReason: string | null;
  errorMessage: string | null;
  commandOverride: string | null;
  triggeredBy: string;
  cause: string | null;
  createdAt: Date;
  notBefore: Date | null;
  startedAt: Date | null;
  finishedAt: Date | null;
  cancelRequestedAt: Date | null;
  artifactsPending: boolean;
  clearedAt: Date | null;
  logBytes: number;
  deploymentDigest: string;
  /** The number of the run that it retries. */
  retryOf: number | null;
  steps: { command: string; argv: string[] }[];
  overrides: RunOverrides | null;
  /** Of the environment's connection. Null: the project brought its own profile. */
  connectionType: string | null;
  /** The steps that have begun, in their order. */
  begun: StoredStep[];
}

export interface StoredStep {
  number: number;
  status: string;
  errorMessage: string | null;
  startedAt: Date | null;
  finishedAt: Date | null;
  programVersion: string | null;
}

type RunRow = Omit<StoredRun, 'begun'> & {
  begun: (Omit<StoredStep, 'startedAt' | 'finishedAt'> & Record<'startedAt' | 'finishedAt', string | null>)[];
};

/** Of rows of `runs`, in whatever order they come. */
const shown = `runs.id, runs.number::float8 AS number, runs.job_id AS "jobId", runs.environment_id AS "environmentId",
  jobs.number::float8 AS "jobNumber", projects.number::float8 AS "projectNumber",
  environments.number::float8 AS "environmentNumber", environments.name AS "environmentName", runs.status,
  runs.status_reason AS "statusReason", runs.error_message AS "errorMessage",
  runs.command_override AS "commandOverride", runs.triggered_by AS "triggeredBy", runs.cause,
  runs.created_at AS "createdAt", runs.not_before AS "notBefore", runs.started_at AS "startedAt",
  runs.finished_at AS "finishedAt", runs.cancel_requested_at AS "cancelRequestedAt",
  runs.artifacts_pending AS "artifactsPending", runs.cleared_at AS "clearedAt", runs.log_bytes::float8 AS "logBytes",
  deployments.digest AS "deploymentDigest",
  (SELECT number::float8 FROM runs AS parents WHERE parents.id = runs.retry_of) AS "retryOf",
  runs.settings -> 'steps' AS steps, NULLIF(runs.settings -> 'overrides', 'null') AS overrides,
  runs.settings -> 'environment' -> 'connection' ->> 'type' AS "connectionType",
  ARRAY(
    SELECT jsonb_build_object('number', run_steps.number, 'status', run_steps.status,
      'errorMessage', run_steps.error_message, 'startedAt', run_steps.started_at,
      'finishedAt', run_steps.finished_at, 'programVersion', program_version)
    FROM run_steps WHERE run_id = runs.id AND run_steps.started_at IS NOT NULL ORDER BY run_steps.number) AS begun`;

const itsOwn = `JOIN jobs ON jobs.id = runs.job_id JOIN projects ON projects.id = runs.project_id
  JOIN environments ON environments.id = runs.environment_id
  JOIN deployments ON deployments.id = runs.deployment_id`;

const runByNumber = statement<RunRow>(
  'dbt cloud run by number',
  `SELECT ${shown} FROM runs ${itsOwn} WHERE runs.organization_id = $1 AND runs.number = $2`,
);

const runById = statement<RunRow>(
  'dbt cloud run by id',
  `SELECT ${shown} FROM runs ${itsOwn} WHERE runs.organization_id = $1 AND runs.id = $2`,
);

export async function findRun(
  pool: pg.Pool,
  organizationId: string,
  which: { number: number } | { id: string },
): Promise<StoredRun | undefined> {
  const [row] =
    'id' in which
      ? await runById(pool, [organizationId, which.id])
      : await runByNumber(pool, [organizationId, which.number]);
  return row && asStored(row);
}

/** A page of the organization's runs, and how many there are (`totalOfRuns` says up to where that is exact). */
export async function listRuns(
  pool: pg.Pool,
  filters: RunFilters,
  page: ListPage<'id' | 'created_at' | 'finished_at'>,
): Promise<{ rows: StoredRun[]; total: number }> {
  const { from, order, values } = pageOfRuns(filters, page);
  const text = `SELECT ${shown} FROM (${from}) AS page JOIN runs ON runs.id = page.id ${itsOwn} ORDER BY ${order}`;
  const counted = totalOfRuns(filters, page);
  const [rows, totals] = await Promise.all([
    pool.query<RunRow>(text, values),
    pool.query<{ total: number }>(counted.text, counted.values),
  ]);
  return { rows: rows.rows.map(asStored), total: totals.rows[0]!.total };
}

function asStored({ begun, ...run }: RunRow): StoredRun {
  return { ...run, begun: begun.map(withTimes) };
}

/** The job's newest run. */
export async function findLastRun(
  db: Database,
  jobId: string,
): Promise<{ id: string; number: bigint; status: string } | null> {
  const select = { id: true, number: true, status: true, createdAt: true } as const;
  // One range of an index for each status: the newest of all of them is among these.
  const newest = await Promise.all(
    ['queued', 'running', 'success', 'partial', 'failed', 'error'].map((status) =>
      db.run.findFirst({
        where: { jobId, status },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        select,
      }),
    ),
  );
  const found = newest.filter((run) => run !== null);
  return found.toSorted((a, b) => Number(b.number - a.number))[0] ?? null;
}

/** The job's newest run that ended well. */
export async function findLastSuccess(db: Database, jobId: string): Promise<string | null> {
  const run = await db.run.findFirst({
    where: { jobId, status: 'success' },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    select: { id: true },
  });
  return run?.id ?? null;
}

/**
 * What the runs of a list have in common, by its numbers: their ids, deleted or not. Environments and jobs are those of
 * the projects, which then need no more be asked for.
 */
export async function findIdsOfNumbers(
  db: Database,
  organizationId: string,
  { projects, environments, jobs }: Record<'projects' | 'environments' | 'jobs', number[] | undefined>,
): Promise<Pick<RunFilters, 'projectIds' | 'environmentIds' | 'jobIds'>> {
  const project = { organizationId, ...numbered(projects) };
  const select = { id: true } as const;
  const ids = async (rows: Promise<{ id: string }[]>) => (await rows).map(({ id }) => id);
  const isApart = environments === undefined && jobs === undefined;
  const [projectIds, environmentIds, jobIds] = await Promise.all([
    projects && isApart ? ids(db.project.findMany({ where: project, select })) : undefined,
    environments && ids(db.environment.findMany({ where: { project, ...numbered(environments) }, select })),
    jobs && ids(db.job.findMany({ where: { project, ...numbered(jobs) }, select })),
  ]);
  return { projectIds, environmentIds, jobIds };
}
