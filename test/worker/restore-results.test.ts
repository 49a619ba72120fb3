import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Context } from '../../src/context.ts';
import { connectDatabase, type DatabaseConnection } from '../../src/db.ts';
import { artifactKey } from '../../src/runs/artifact-path.ts';
import type { ClaimedRun } from '../../src/runs/lease.ts';
import { openStorage, type Storage } from '../../src/storage/storage.ts';
import { restoreResults } from '../../worker/restore-results.ts';
import { createDatabase, insertJob, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let connection: DatabaseConnection;
let folder: string;
let storage: Storage;

beforeAll(async () => {
  database = await createDatabase();
  connection = connectDatabase(database.url, { maxConnections: 4, onError: () => undefined });
  await insertJob(database);
  folder = await mkdtemp(join(tmpdir(), 'dctl-test-'));
  storage = openStorage(folder);
});
afterAll(async () => {
  await connection.close();
  await database.drop();
  await rm(folder, { recursive: true });
});

/** A run with one step whose dbt was told this, and which had done model.a and not begun model.b. */
async function runTold(args: object | null): Promise<string> {
  const id = randomUUID();
  await database.pool.query(
    `INSERT INTO runs (id, organization_id, project_id, job_id, deployment_id, environment_id, name, command, triggered_by, settings, status)
     VALUES ($1, 'org-1', 'p', 'j', 'd', 'e', 'nightly-1', 'dbt build', 'manual', '{}', 'queued')`,
    [id],
  );
  await database.pool.query(
    "INSERT INTO run_steps (run_id, number, status, arguments) VALUES ($1, 1, 'running', $2)",
    [id, args],
  );
  await database.pool.query(
    `INSERT INTO node_results (run_id, unique_id, resource_type, status)
     VALUES ($1, 'model.a', 'model', 'success'), ($1, 'model.b', 'model', 'queued')`,
    [id],
  );
  return id;
}

const store = (runId: string, content: string) =>
  storage.write(artifactKey(runId, 1, 'run_results.json'), [Buffer.from(content)] as never);

function restore(retryFrom: { runId: string; step: number } | null, launchedAt: Date | null = null) {
  const run = { settings: { retryFrom }, launchedAt } as ClaimedRun;
  return restoreResults({ db: connection.db, storage } as Context, run);
}

async function restored(runId: string): Promise<any> {
  const found = await restore({ runId, step: 1 });
  if ('problem' in found) return found;
  expect(found.map(({ path }) => path)).toEqual(['.dctl/retry/run_results.json']);
  return JSON.parse(found[0]!.content);
}

const idsIn = ({ results }: any) => results.map((result: any) => result.unique_id);

test('a run that retries nothing, or is at work already, is given none', async () => {
  expect(await restore(null)).toEqual([]);
  expect(await restore({ runId: 'unknown', step: 1 }, new Date())).toEqual([]);
});

test('what dbt wrote only in part is completed', async () => {
  const runId = await runTold({ which: 'build' });
  const own = { args: { which: 'build' }, results: [{ unique_id: 'model.a', status: 'success', own: true }] };
  await store(runId, JSON.stringify(own));
  const found = await restored(runId);
  expect(found.results[0]).toEqual(own.results[0]);
  expect(idsIn(found)).toEqual(['model.a', 'model.b']);
});

test.each([
  ['nothing was written', null],
  ['half a file was written', '{"args": {"which": "bu'],
  ['another thing was written', '[]'],
])('it is all from the ledger when %s', async (_when, content) => {
  const runId = await runTold({ which: 'build' });
  if (content !== null) await store(runId, content);
  expect(idsIn(await restored(runId))).toEqual(['model.a', 'model.b']);
});

test('variables are spelled so that dbt reads what it was told at first', async () => {
  const vars = { nothing: null, text: "it's\nthis" };
  const found = await restored(await runTold({ which: 'build', vars }));
  expect({ ...found.args, vars: JSON.parse(found.args.vars) }).toEqual({ which: 'build', vars });
});

test('a run whose variables held a secret, or of which nothing is kept, is not gone on from', async () => {
  const hidden = await runTold({ which: 'build', vars: { key: 'a*****b' } });
  expect(await restored(hidden)).toEqual({ problem: expect.stringContaining('a secret among its --vars') });
  expect(await restored(await runTold(null))).toEqual({
    problem: expect.stringContaining('no longer there'),
  });
  expect(await restored(randomUUID())).toEqual({ problem: expect.stringContaining('no longer there') });
});
