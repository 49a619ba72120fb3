import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fillWithRuns } from '../../bench/many-runs.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openContext } from '../../src/open-context.ts';
import { jobToRun } from '../../src/jobs/job-to-run.ts';
import { countOpenRuns, openEndedRunCount } from '../../src/runs/count-runs.ts';
import { clearOldRuns } from '../../src/runs/expire.ts';
import { giveUpLostRuns } from '../../src/runs/give-up-lost.ts';
import { claimRun } from '../../src/runs/lease.ts';
import { findLikelyJobs } from '../../src/runs/likely-jobs.ts';
import { newRun } from '../../src/runs/new-run.ts';
import type { RunQuery } from '../../src/runs/schema.ts';
import { findShownRun, listShownRuns } from '../../src/runs/shown-runs.ts';
import { findForgottenRuns, findNextToBegin, insertRuns, type NewRun } from '../../src/runs/store.ts';
import { createDatabase, insertJob, type TestDatabase } from '../support/database.ts';

const past = 20_000;
/** Enough for a page of one range for each status, and far from all there are. */
const fewEntries = 1_000;
const organizationId = 'org-1';
const worker = { name: 'w', leaseSeconds: 30, engineId: null };

let database: TestDatabase;
let context: ReturnType<typeof openContext>;

beforeAll(async () => {
  database = await createDatabase();
  await insertJob(database);
  await database.pool.query(`UPDATE projects SET deployment_id = 'd'`);
  await fillWithRuns(database.pool, past);
  const config = readConfig({
    DATABASE_URL: database.url,
    DCTL_SECRET_KEY: Buffer.alloc(32).toString('base64'),
    DCTL_STORAGE_DIR: '/nowhere',
    // What each connection has read is known to that one alone at first.
    DCTL_DATABASE_CONNECTIONS: '1',
    DCTL_RETENTION_DAYS: '400',
  });
  context = openContext(config, createLog('setup', 'error'));
});
afterAll(async () => {
  await context.close();
  await database.drop();
});

/** How often all of `runs` was read since the last time, and how many entries of its indexes. */
async function readSince(before = { all: 0, entries: 0 }): Promise<{ all: number; entries: number }> {
  await context.pool.query('SELECT pg_stat_force_next_flush()');
  const { rows } = await context.pool.query<{ all: number; entries: number }>(
    `SELECT seq_scan::float8 AS all, (
       SELECT sum(idx_tup_read)::float8 FROM pg_stat_user_indexes WHERE relname = 'runs') AS entries
     FROM pg_stat_user_tables WHERE relname = 'runs'`,
  );
  const [{ all, entries }] = rows as [{ all: number; entries: number }];
  return { all: all - before.all, entries: entries - before.entries };
}

async function expectFewRead(what: string, work: () => Promise<unknown>): Promise<void> {
  const before = await readSince();
  await work();
  const read = await readSince(before);
  expect({ what, ...read, isFew: read.entries < fewEntries }).toEqual({
    what,
    all: 0,
    entries: read.entries,
    isFew: true,
  });
}

const at = (share: number) => new Date(Date.now() - 365 * 86_400_000 * (1 - share));
const after = { createdAt: at(0.5).toISOString(), id: 'x' };
const narrowed: Record<string, Partial<RunQuery>> = {
  'all of them': {},
  "a project's": { project_id: 'p' },
  "an environment's": { environment_id: 'e' },
  "a busy job's": { job_id: 'past-1' },
  "a quiet job's": { job_id: 'past-49' },
  "a job's that never ran": { job_id: 'j' },
  'failed ones': { status: ['failed', 'error'] },
  'those that execute, of which there are none': { status: ['running'] },
  "a busy job's that execute": { job_id: 'past-1', status: ['running'] },
  "a quiet job's that failed": { job_id: 'past-49', status: ['failed'] },
  'by hand': { triggered_by: ['manual'] },
  'of a quarter': { created_after: at(0.25), created_before: at(0.75) },
  "a busy job's of a quarter that failed": {
    job_id: 'past-1',
    status: ['failed'],
    created_after: at(0.25),
    created_before: at(0.75),
  },
};

test.each(Object.entries(narrowed))(
  'a page of a list of runs costs the same however many runs there are: %s',
  async (name, filters) => {
    const wanted = filters as Omit<RunQuery, 'limit' | 'cursor'>;
    // The sixth time Postgres may choose another plan, for whatever values come.
    for (let time = 1; time <= 7; time += 1) {
      for (const from of [undefined, after])
        await expectFewRead(`${name}, time ${time}`, () =>
          listShownRuns(context.pool, organizationId, wanted, from, 51),
        );
    }
  },
);

test('all else that is asked about runs all the time costs the same however many there are', async () => {
  const { db, pool } = context;
  const job = await jobToRun(pool, { organizationId, projectId: 'p', jobId: 'past-1' });
  const newRuns = () =>
    Array.from({ length: 20 }, () => newRun(job, { triggeredBy: 'manual', requestedBy: 'a test' }));
  const run = newRun(job, { triggeredBy: 'manual', requestedBy: 'a test' });
  const { id } = run;
  const questions: [string, () => Promise<unknown>][] = [
    ['record runs', () => insertRuns(pool, newRuns())],
    ['show one', () => findShownRun(pool, organizationId, id)],
    ['show one that is not there', () => findShownRun(pool, organizationId, randomUUID())],
    ['find the next to begin', () => findNextToBegin(pool, 'past-1')],
    ['claim one', () => claimRun(db, id, worker)],
    ['claim in vain', () => claimRun(db, id, worker)],
    ['sweep', () => findForgottenRuns(db, 0)],
    ['give up lost ones', () => giveUpLostRuns(context)],
    ['count open ones', () => countOpenRuns(db)],
    ['find jobs in use', () => findLikelyJobs(db, { soonSeconds: 60, idleSeconds: 1_800, limit: 20 })],
    ['clear old ones, when none is so old', () => clearOldRuns(context, new AbortController().signal)],
  ];
  await insertRuns(pool, [run]);
  for (const [what, ask] of questions)
    for (let time = 1; time <= 3; time += 1) await expectFewRead(what, ask);
});

test('of the runs that have ended only the first count looks at all', async () => {
  const count = openEndedRunCount(context.db);
  expect(await count()).toMatchObject({ success: past * 0.9 });
  await expectFewRead('count again', count);
});

test('a run is claimed at the same cost however many others of its job wait', async () => {
  const { db, pool } = context;
  const job = await jobToRun(pool, { organizationId, projectId: 'p', jobId: 'past-2' });
  const runs = (count: number) =>
    Array.from({ length: count }, () => newRun(job, { triggeredBy: 'manual', requestedBy: 'a test' }));
  const waiting = runs(200);
  await insertRuns(pool, waiting);
  for (let batch = 1; batch < 15; batch += 1) await insertRuns(pool, runs(200));
  const [{ id }] = waiting as [NewRun, ...NewRun[]];
  await expectFewRead('find the next to begin', () => findNextToBegin(pool, job.id));
  await expectFewRead('claim one', async () => expect(await claimRun(db, id, worker)).not.toBeNull());
  await expectFewRead('claim in vain', async () => expect(await claimRun(db, id, worker)).toBeNull());
  expect(await findNextToBegin(pool, job.id)).toEqual([]);
});
