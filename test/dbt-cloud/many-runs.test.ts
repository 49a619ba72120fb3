import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fillWithRuns } from '../../bench/many-runs.ts';
import { pageOfRuns, totalOfRuns, type RunFilters } from '../../src/dbt-cloud/run-filters.ts';
import { createDatabase, insertJob, type TestDatabase } from '../support/database.ts';

const past = 20_000;
/** Enough for a page of one range for each status, and far from all there are. */
const fewRows = 1_500;
const organizationId = 'org-1';

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await insertJob(database);
  await database.pool.query(`UPDATE projects SET deployment_id = 'd'`);
  await fillWithRuns(database.pool, past);
});
afterAll(() => database.drop());

/** How many rows a plan reads from its tables and indexes, and which it reads as a whole. */
function rowsRead(plan: any): { rows: number; whole: string[] } {
  const parts = (plan.Plans ?? []).map(rowsRead);
  const own = 'Relation Name' in plan ? plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0) : 0;
  return {
    rows: parts.reduce((sum: number, part: any) => sum + part.rows, own * plan['Actual Loops']),
    whole: [
      ...(plan['Node Type'] === 'Seq Scan' && plan['Relation Name'] === 'runs' ? ['runs'] : []),
      ...parts.flatMap((part: any) => part.whole),
    ],
  };
}

async function explain(text: string, values: unknown[]) {
  const { rows } = await database.pool.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values);
  return rowsRead(rows[0]['QUERY PLAN'][0].Plan);
}

const at = (share: number) => new Date(Date.now() - 365 * 86_400_000 * (1 - share));
const newest = { field: 'id', isDescending: true } as const;
const first = { field: 'id', isDescending: false } as const;
const byEnd = { field: 'finished_at', isDescending: false } as const;

test.each<[string, Partial<RunFilters>, typeof newest | typeof first | typeof byEnd]>([
  ['the newest of all', {}, newest],
  ['the oldest of all', {}, first],
  ["a project's", { projectIds: ['p'] }, newest],
  ["an environment's", { environmentIds: ['e'] }, newest],
  ["a busy job's", { jobIds: ['past-1'] }, newest],
  ["a quiet job's", { jobIds: ['past-49'] }, newest],
  ["a quiet job's, oldest first", { jobIds: ['past-49'] }, first],
  ["two jobs'", { jobIds: ['past-1', 'past-49'] }, newest],
  ["a job's that are open, as Airflow asks", { jobIds: ['past-1'], statuses: [1, 2, 3] }, newest],
  ['failed ones', { statuses: [20] }, newest],
  ['cancelled ones, of which there are none', { statuses: [30] }, newest],
  [
    'of an environment that ended lately, as dagster asks',
    { environmentIds: ['e'], finishedWithin: [at(0.995), at(1)] },
    byEnd,
  ],
  ['by their end, last ones first', {}, { ...byEnd, isDescending: true } as unknown as typeof byEnd],
])('a page of a list costs the same however many runs there are: %s', async (_what, filters, order) => {
  const page = { limit: 100, offset: 0, ...order };
  const { from, values } = pageOfRuns({ organizationId, ...filters }, page);
  const read = await explain(`SELECT * FROM (${from}) AS page`, values);
  expect({ ...read, isFew: read.rows < fewRows }).toEqual({ rows: read.rows, whole: [], isFew: true });
});

test('how many runs there are is counted up to far beyond the page, and no further', async () => {
  const total = async (offset: number, filters: Partial<RunFilters> = {}) => {
    const { text, values } = totalOfRuns(
      { organizationId, ...filters },
      { limit: 100, offset, ...newest },
      5_000,
    );
    return (await database.pool.query(text, values)).rows[0].total;
  };
  const all = (await database.pool.query('SELECT count(*)::int FROM runs')).rows[0].count;
  expect(all).toBeGreaterThan(15_000);
  expect(await total(0)).toBe(5_100);
  expect(await total(10_000)).toBe(15_100);
  expect(await total(all - 100)).toBe(all);
  const { rows } = await database.pool.query(`SELECT count(*)::int FROM runs WHERE job_id = 'past-49'`);
  expect(await total(0, { jobIds: ['past-49'] })).toBe(rows[0].count);
});
