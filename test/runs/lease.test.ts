import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectDatabase, type DatabaseConnection } from '../../src/db.ts';
import { claimRun, endRun, forgetLaunch, markLaunched } from '../../src/runs/lease.ts';
import { appendLog } from '../../src/runs/logs.ts';
import { createDatabase, insertJob, type TestDatabase } from '../support/database.ts';

const here = { name: 'a worker', leaseSeconds: 30, engineId: 'here' };
const launched = { containerId: 'first', engineId: 'here' };

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

test('a run that was launched is taken over by workers of its engine alone', async () => {
  const lease = await claim({ leaseSeconds: 0 });
  await markLaunched(connection.db, lease, launched);
  for (const engineId of ['elsewhere', null]) {
    expect(await claimRun(connection.db, lease.runId, { ...here, engineId })).toBeNull();
  }
  expect(await claimRun(connection.db, lease.runId, here)).toMatchObject({ fence: 2 });
});

test('one that was not launched is taken over by any, and by a worker that does not know its engine', async () => {
  const lease = await claim({ leaseSeconds: 0 });
  const taken = await claimRun(connection.db, lease.runId, { ...here, engineId: null });
  expect(taken).toMatchObject({ fence: 2, launchedAt: null });
});

test('what the answer to was lost may be done again: it is the same as once', async () => {
  const lease = await claim();
  const piece = { startsAt: 0, content: Buffer.from('text'), truncated: false };
  for (const _ of [1, 2]) {
    expect(await markLaunched(connection.db, lease, launched)).toEqual({ cancelledBy: null });
    expect(await appendLog(connection, lease, piece)).toBe(true);
  }
  expect(await appendLog(connection, lease, { ...piece, content: Buffer.from('more') })).toBe(false);
  expect(await rowOf(lease.runId)).toMatchObject({
    log_bytes: '4',
    container_id: 'first',
    engine_id: 'here',
  });
  for (const _ of [1, 2]) {
    expect(await forgetLaunch(connection.db, lease, 'first')).toEqual({ fence: 2 });
  }
  expect(await rowOf(lease.runId)).toMatchObject({ log_bytes: '0', container_id: null, launched_at: null });
});

test('whoever has lost the lease forgets no launch', async () => {
  const lease = await claim();
  await markLaunched(connection.db, lease, launched);
  expect(await forgetLaunch(connection.db, { ...lease, token: 'another' }, 'first')).toBeNull();
  expect(await forgetLaunch(connection.db, lease, 'another')).toBeNull();
  expect(await rowOf(lease.runId)).toMatchObject({ container_id: 'first', fence: 1 });
});

test.each([
  ['when its container did', 2_000, 2],
  ['not before it began', 60_000, 0],
])('a run ends %s', async (_when, endedAgoMs, seconds) => {
  const lease = await claim();
  await database.pool.query(`UPDATE runs SET started_at = clock_timestamp() - interval '4 s' WHERE id = $1`, [
    lease.runId,
  ]);
  const verdict = { status: 'success', statusReason: null, errorMessage: null } as const;
  const end = { ...verdict, exitCode: 0, nodesTotal: null, endedAgoMs, collectSeconds: null };
  const ended = await connection.db.$transaction((tx) => endRun(tx, lease, end));
  expect(ended!.durationMs! / 1_000).toBeCloseTo(seconds, 0);
  const spanMs = ended!.finishedAt.getTime() - ended!.startedAt!.getTime();
  expect(Math.abs(spanMs - ended!.durationMs!)).toBeLessThanOrEqual(1);
});

/** A run of its own, claimed. */
async function claim({ leaseSeconds = 30 } = {}) {
  const runId = randomUUID();
  await database.pool.query('DELETE FROM log_chunks');
  await database.pool.query('DELETE FROM runs');
  const environment = {
    id: 'e',
    name: 'production',
    runnerImage: null,
    memoryMb: null,
    cpus: null,
    network: null,
    target: null,
    threads: null,
    timeoutSeconds: null,
    hasDataVolume: true,
    envVars: {},
    connection: null,
  };
  const settings = {
    projectType: 'dbt',
    timeoutSeconds: 60,
    steps: [{ command: 'dbt build', argv: ['build'] }],
    environment,
  };
  await database.pool.query(
    `INSERT INTO runs (id, organization_id, project_id, job_id, deployment_id, environment_id, name, command, triggered_by,
       settings, status) VALUES ($1, 'org-1', 'p', 'j', 'd', 'e', 'n', 'dbt build', 'manual', $2, 'queued')`,
    [runId, JSON.stringify(settings)],
  );
  return (await claimRun(connection.db, runId, { ...here, leaseSeconds }))!.lease;
}

async function rowOf(runId: string) {
  const { rows } = await database.pool.query('SELECT * FROM runs WHERE id = $1', [runId]);
  return rows[0] as Record<string, unknown>;
}
