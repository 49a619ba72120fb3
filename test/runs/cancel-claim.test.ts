import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { connectDatabase, type DatabaseConnection } from '../../src/db.ts';
import { claimRun, markLaunched, renewLease } from '../../src/runs/lease.ts';
import { createDatabase, insertJob, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import { countWaiting } from '../support/waiting.ts';

const worker = { name: 'a worker', leaseSeconds: 30, engineId: null };
const cancelled = `UPDATE runs SET status = 'error', status_reason = 'cancelled', finished_at = now(),
  cancelled_by = 'somebody', lease_token = NULL WHERE id = 'first'`;

let database: TestDatabase;
let connection: DatabaseConnection;

beforeAll(async () => {
  database = await createDatabase();
  connection = connectDatabase(database.url, { maxConnections: 4, onError: () => undefined });
  await insertJob(database);
});
afterAll(async () => {
  await connection.close();
  await database.drop();
});
beforeEach(async () => {
  const unset = { runnerImage: null, memoryMb: null, cpus: null, network: null, target: null, threads: null };
  const environment = {
    id: 'e',
    name: 'production',
    ...unset,
    timeoutSeconds: null,
    hasDataVolume: true,
    envVars: {},
    connection: null,
  };
  const settings = { steps: [{ command: 'dbt build', argv: ['build'] }], timeoutSeconds: 60, environment };
  await database.pool.query('DELETE FROM runs');
  await database.pool.query(
    `INSERT INTO runs (id, organization_id, project_id, job_id, deployment_id, environment_id, name, command,
       triggered_by, settings, status, created_at)
     SELECT id, 'org-1', 'p', 'j', 'd', 'e', id, 'dbt build', 'manual', $1, 'queued', now() + after
     FROM (VALUES ('first', interval '0'), ('second', interval '1 s')) AS runs (id, after)`,
    [settings],
  );
});

test('a worker that claims a run just when it is cancelled gets nothing, and the next run at its next try', async () => {
  expect(await claimedDuring(cancelled)).toBeNull();
  expect((await claimRun(connection.db, 'first', worker))?.id).toBe('second');
});

test('a run that comes to its end just when it is taken over stays as it ended', async () => {
  await claimRun(connection.db, 'first', { ...worker, leaseSeconds: 0 });
  const ending = `UPDATE runs SET status = 'success', finished_at = now(), lease_token = NULL WHERE id = 'first'`;
  expect(await claimedDuring(ending)).toBeNull();
  const { rows } = await database.pool.query("SELECT status FROM runs WHERE id = 'first'");
  expect(rows).toEqual([{ status: 'success' }]);
});

test('a run that is cancelled after its claim is not launched, and its lease says who cancelled it', async () => {
  const run = await claimRun(connection.db, 'first', worker);
  await database.pool.query("UPDATE runs SET cancelled_by = 'somebody' WHERE id = 'first'");
  const asked = { cancelledBy: 'somebody' };
  expect(
    await markLaunched(connection.db, run!.lease, { containerId: 'container', engineId: 'engine' }),
  ).toEqual(asked);
  expect(await renewLease(connection.db, run!.lease, 30)).toEqual(asked);
  const { rows } = await database.pool.query("SELECT launched_at, container_id FROM runs WHERE id = 'first'");
  expect(rows).toEqual([{ launched_at: null, container_id: null }]);
});

/** What a claim gets that begins while the statement is under way, and goes on when that has been committed. */
async function claimedDuring(statement: string) {
  const other = await database.pool.connect();
  try {
    await other.query('BEGIN');
    await other.query(statement);
    const claiming = claimRun(connection.db, 'first', worker);
    await until(
      'the claim waits',
      () => countWaiting(database),
      (waiting) => waiting === 1,
    );
    await other.query('COMMIT');
    return await claiming;
  } finally {
    other.release();
  }
}
