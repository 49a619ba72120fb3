import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { connectDatabase, type DatabaseConnection } from '../../src/db.ts';
import { ProtocolReader, type ShimEvent } from '../../worker/dbt/protocol.ts';
import { ProgressWriter } from '../../worker/progress-writer.ts';
import { createDatabase, insertJob, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

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

test('whatever the protocol lets through, the database stores', async () => {
  const { writer, rows } = await openProgress();
  const node = { event: 'node_finished', resource_type: 'model', status: 'success' };
  const forged = [
    {
      ...node,
      unique_id: 'a',
      started_at: '2026-01-01T00:00:00+23:00',
      finished_at: '9999-12-31T23:59:59-23:00',
    },
    { ...node, unique_id: `${'b'.repeat(499)}😀`, resource_type: `${'c'.repeat(499)}😀` },
    {
      ...node,
      unique_id: 'd',
      status: 'e\0f',
      message: 'g'.repeat(100_000),
      rows_affected: Number.MAX_SAFE_INTEGER,
    },
    { ...node, unique_id: 'h', duration_seconds: 1e308, thread: '\ud83d' },
  ];
  const lines = forged.map((event) => `${JSON.stringify(event)}\n`).join('');
  for (const event of new ProtocolReader().read(Buffer.from(lines))) await writer.add(event);
  await writer.flush();
  expect(await rows()).toHaveLength(forged.length);
});

test('a project that reports faster than the database stores has to wait', async () => {
  const { writer, rows } = await openProgress();
  const blocker = await database.pool.connect();
  let added = 0;
  await blocker.query('BEGIN; LOCK TABLE node_results IN ACCESS EXCLUSIVE MODE');
  const adding = (async () => {
    for (let number = 0; number < 5_000; number += 1, added += 1) await writer.add(finished(number));
  })();
  await until(
    'a batch waits for the table',
    () =>
      database.pool.query("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'node_results'::regclass"),
    ({ rowCount }) => rowCount === 1,
  );
  expect(added).toBeLessThan(1_000);
  await blocker.query('COMMIT');
  blocker.release();
  await adding;
  await writer.flush();
  expect(await rows()).toHaveLength(5_000);
});

test('of a run that reports nodes without end 20000 are kept up to date, and one line tells of it', async () => {
  const { writer, rows, logged } = await openProgress();
  for (let number = 0; number < 20_100; number += 1) await writer.add(finished(number));
  await writer.add(finished(0, 'error'));
  await writer.flush();
  const stored = await rows();
  expect(stored).toHaveLength(20_000);
  expect(stored.filter(({ status }) => status === 'error')).toEqual([
    { id: 'model.shop.0', status: 'error' },
  ]);
  expect(logged()).toMatchObject([{ level: 40, maxNodes: 20_000 }]);
});

test('nodes that are to come are known before they begin, and told again they stay what they are by then', async () => {
  const { writer, rows } = await openProgress();
  const selected: ShimEvent = {
    event: 'nodes_selected',
    step: 1,
    nodes: [0, 1].map((number) => [`model.shop.${number}`, 'model', null]),
  };
  await writer.add(selected);
  await writer.flush();
  const queued = [
    { id: 'model.shop.0', status: 'queued' },
    { id: 'model.shop.1', status: 'queued' },
  ];
  expect(await rows()).toEqual(queued);
  await writer.add(finished(0));
  await writer.flush();
  await writer.add(selected);
  await writer.flush();
  expect(await rows()).toEqual([{ id: 'model.shop.0', status: 'success' }, queued[1]]);
});

function finished(number: number, status = 'success'): ShimEvent {
  return {
    event: 'node_finished',
    step: 1,
    unique_id: `model.shop.${number}`,
    resource_type: 'model',
    status,
    started_at: null,
    finished_at: null,
    duration_seconds: null,
    rows_affected: null,
    message: null,
    thread: null,
    timing: null,
    adapter_response: null,
    failures: null,
    relation_name: null,
  };
}

/** A claimed run of its own, and what is stored of its nodes. */
async function openProgress() {
  const lease = { runId: randomUUID(), token: randomUUID() };
  await database.pool.query(
    `INSERT INTO runs (id, organization_id, project_id, job_id, deployment_id, environment_id, name, command, triggered_by, settings,
       status, lease_token)
     VALUES ($1, 'org-1', 'p', 'j', 'd', 'e', 'nightly-1', 'dbt build', 'manual', '{}', 'running', $2)`,
    [lease.runId, lease.token],
  );
  const lines: string[] = [];
  const sink = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(line.toString());
      done();
    },
  });
  return {
    writer: new ProgressWriter({ db: connection.db, pool: connection.pool, log: pino(sink) }, lease, {
      stepCount: 1,
      letGo: new AbortController().signal,
    }),
    rows: async () => {
      const found = await database.pool.query<{ id: string; status: string }>(
        'SELECT unique_id AS id, status FROM node_results WHERE run_id = $1',
        [lease.runId],
      );
      return found.rows;
    },
    logged: () => lines.map((line) => JSON.parse(line) as object),
  };
}
