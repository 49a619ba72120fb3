import { cancelledReasons } from '../webhooks/run-event.ts';
import type { ListPage } from './lists.ts';
import { statusCodes, type StatusCode } from './status.ts';

/** What a list of runs is narrowed to; what is left out narrows nothing. The ids are the organization's own. */
export interface RunFilters {
  organizationId: string;
  projectIds?: string[] | undefined;
  environmentIds?: string[] | undefined;
  jobIds?: string[] | undefined;
  statuses?: StatusCode[] | undefined;
  createdWithin?: [Date, Date] | undefined;
  finishedWithin?: [Date, Date] | undefined;
}

type RunPage = ListPage<'id' | 'created_at' | 'finished_at'>;

/**
 * The ids of a page's runs, in SQL. Reads no more of an index than lies between the page's end and the list's begin: of a
 * job's runs, and of several statuses, one range for each, which are then put together.
 *
 * Runs get their number as they are recorded, so their order is that of their times. For those of the same millisecond it
 * is that of their ids, as the indexes have it; on the page itself it is that of their numbers.
 */
export function pageOfRuns(filters: RunFilters, page: RunPage) {
  const direction = page.isDescending ? 'DESC' : 'ASC';
  const column = page.field === 'finished_at' ? 'finished_at' : 'created_at';
  const inOrder = (table: string, last: 'id' | 'number' = 'id') =>
    `${table}.${column} ${direction}, ${table}.${last} ${direction}`;
  const pairs = column === 'created_at' ? pairsOf(filters) : [];
  const isApart = pairs.length > 0 && pairs.length <= mostRanges;
  const { conditions, values, place } = conditionsOf(filters, page, { isApart });
  const end = place(page.offset + page.limit);
  const range = (more: string[] = []) =>
    `(SELECT runs.id, runs.number, runs.created_at, runs.finished_at FROM runs
    WHERE ${[...conditions, ...more].join(' AND ')} ORDER BY ${inOrder('runs')} LIMIT ${end})`;
  const ranges = isApart
    ? pairs.map(({ jobId, status }) =>
        range([
          `runs.status = ${place(status)}`,
          ...(jobId === undefined ? [] : [`runs.job_id = ${place(jobId)}`]),
        ]),
      )
    : [range()];
  const from = `SELECT found.* FROM (${ranges.join(' UNION ALL ')}) AS found ORDER BY ${inOrder('found')}
    LIMIT ${place(page.limit)} OFFSET ${place(page.offset)}`;
  return { from, order: inOrder('page', 'number'), values };
}

/** Of more jobs all runs are read, and put in order. */
const mostRanges = 30;

/** What each range of an index holds, where a job or a status is asked for. */
function pairsOf({ jobIds, statuses }: RunFilters): { jobId: string | undefined; status: string }[] {
  if (jobIds === undefined && statuses === undefined) return [];
  return (jobIds ?? [undefined]).flatMap((jobId) =>
    ourStatuses(statuses).map((status) => ({ jobId, status })),
  );
}

/** More runs than these beyond a page are not counted: whoever reads on comes to the true end. */
const countedBeyond = 100_000;

/** How many runs the filters name, exact unless there are very many beyond the page: then it is a part of them. */
export function totalOfRuns(filters: RunFilters, page: RunPage, beyond = countedBeyond) {
  const { conditions, values, place } = conditionsOf(filters, page);
  const most = place(page.offset + page.limit + beyond);
  const text = `SELECT count(*)::float8 AS total FROM (
    SELECT FROM runs WHERE ${conditions.join(' AND ')} LIMIT ${most}) AS counted`;
  return { text, values };
}

/** `isApart`: jobs and statuses are asked for one by one. */
function conditionsOf(filters: RunFilters, { field }: RunPage, { isApart } = { isApart: false }) {
  const { organizationId, projectIds, environmentIds, jobIds, createdWithin, finishedWithin } = filters;
  const values: unknown[] = [];
  const place = (value: unknown) => `$${values.push(value)}`;
  const conditions: string[] = [];
  const ids = [projectIds, environmentIds, jobIds].filter((each) => each !== undefined);
  // What belongs to the organization needs no second look at each row. The index of runs by their end is the exception.
  const isByEnd = field === 'finished_at' || finishedWithin !== undefined;
  if (ids.length === 0 || isByEnd) conditions.push(`runs.organization_id = ${place(organizationId)}`);
  const among = (column: string, wanted: string[] | undefined) => {
    if (wanted === undefined) return;
    // One value leaves an index in its order.
    conditions.push(
      wanted.length === 1 ? `runs.${column} = ${place(wanted[0])}` : `runs.${column} = ANY(${place(wanted)})`,
    );
  };
  const within = (column: string, range: [Date, Date] | undefined) => {
    if (range === undefined) return;
    conditions.push(`runs.${column} >= ${place(range[0])}`, `runs.${column} <= ${place(range[1])}`);
  };
  among('project_id', projectIds);
  among('environment_id', environmentIds);
  if (!isApart) among('job_id', jobIds);
  within('created_at', createdWithin);
  within('finished_at', finishedWithin);
  if (filters.statuses !== undefined) {
    if (!isApart) conditions.push(`runs.status = ANY(${place(ourStatuses(filters.statuses))})`);
    conditions.push(...finer(filters.statuses));
  }
  return { conditions, values, place };
}

const ours: Record<StatusCode, string[]> = {
  1: ['queued'],
  2: ['running'],
  3: ['running'],
  10: ['success'],
  20: ['partial', 'failed', 'error'],
  30: ['error'],
};

function ourStatuses(codes: StatusCode[] = statusCodes): string[] {
  return [...new Set(codes.flatMap((code) => ours[code]))];
}

/** Where one status of ours is two of theirs, and one of them alone is wanted. */
function finer(codes: StatusCode[]): string[] {
  const hasBegun = 'EXISTS (SELECT FROM run_steps WHERE run_id = runs.id AND started_at IS NOT NULL)';
  const reasons = cancelledReasons.map((reason) => `'${reason}'`).join(', ');
  const isCancelled = `COALESCE(runs.status_reason, '') IN (${reasons})`;
  const only = (code: StatusCode, other: StatusCode) => codes.includes(code) && !codes.includes(other);
  return [
    ...(only(2, 3) ? [`(runs.status <> 'running' OR NOT ${hasBegun})`] : []),
    ...(only(3, 2) ? [`(runs.status <> 'running' OR ${hasBegun})`] : []),
    ...(only(20, 30) ? [`(runs.status <> 'error' OR NOT ${isCancelled})`] : []),
    ...(only(30, 20) ? [`(runs.status <> 'error' OR ${isCancelled})`] : []),
  ];
}
