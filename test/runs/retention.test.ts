import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openContext } from '../../src/open-context.ts';
import { artifactKey, runKey } from '../../src/runs/artifact-path.ts';
import { clearOldRuns, forgetOldKeys } from '../../src/runs/expire.ts';
import { deployProject, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const never = new AbortController().signal;
/** Of the server. */
const defaultDays = 10;

let system: System;
let context: ReturnType<typeof openContext>;
let project: DeployedProject;

beforeAll(async () => {
  const environment = { DCTL_RETENTION_DAYS: String(defaultDays), DCTL_CLEAN_UP_SECONDS: '1' };
  system = await startSystem({ workers: 0, environment });
  context = openContext(readConfig(system.environment), createLog('setup', 'error'));
  project = await deployProject(system);
});
afterAll(async () => {
  await context.close();
  await system.stop();
});
/** No run of an earlier test is left to clear, or to execute. */
beforeEach(async () => {
  await keepFor(null);
  await system.pool.query(
    "UPDATE runs SET status = 'error', finished_at = now(), cleared_at = now() WHERE cleared_at IS NULL",
  );
});

describe('a run that ended longer ago than its organization keeps logs and artifacts', () => {
  test('loses both: they are 410 from then on, while the run and its nodes stay', async () => {
    await keepFor(30);
    const old = await endedRun(31);
    const young = await endedRun(29);
    const before = (await system.call('GET', `/api/v1/runs/${old}`)).body;
    expect(await clearOldRuns(context, never)).toBe(1);

    expect((await system.call('GET', `/api/v1/runs/${old}`)).body).toEqual({
      ...before,
      cleared_at: expect.any(String),
    });
    expect((await system.call('GET', `/api/v1/runs/${old}/nodes`)).body.data).toHaveLength(1);
    for (const path of ['logs', 'logs?follow=1', 'artifacts', 'artifacts/manifest.json']) {
      const gone = await system.call('GET', `/api/v1/runs/${old}/${path}`);
      expect(gone).toMatchObject({ status: 410, body: { type: 'urn:dctl:error:gone' } });
      expect(gone.body.detail).toContain('removed 31 days after it ended');
    }
    expect(await storedOf(old)).toEqual({ chunks: 0, artifacts: 0, files: false });

    expect((await system.call('GET', `/api/v1/runs/${young}/logs`)).text).toBe('what dbt said');
    await expectStatus(200, system.call('GET', `/api/v1/runs/${young}/artifacts/manifest.json`));
  });

  test("is measured by the server's days where the organization has none, and 0 days are for ever", async () => {
    const runId = await endedRun(defaultDays + 1);
    await keepFor(0);
    expect(await clearOldRuns(context, never)).toBe(0);
    const patient = { ...context, config: { ...context.config, DCTL_RETENTION_DAYS: 0 } };
    await keepFor(null);
    expect(await clearOldRuns(patient, never)).toBe(0);
    expect(await clearOldRuns(context, never)).toBe(1);
    expect(await storedOf(runId)).toMatchObject({ files: false });
  });

  test('is cleared once when several workers do it at the same time', async () => {
    const runIds = await Promise.all(Array.from({ length: 20 }, () => endedRun(defaultDays + 1)));
    const counts = await Promise.all([1, 2, 3].map(() => clearOldRuns(context, never)));
    expect(counts.reduce((sum, count) => sum + count)).toBe(runIds.length);
    expect(await clearOldRuns(context, never)).toBe(0);
  });

  test('is cleared by the next worker when one dies half-way', async () => {
    const runId = await endedRun(defaultDays + 1);
    const dying = async (key: string): Promise<void> => {
      await context.storage.remove(key);
      throw new Error('the power is gone');
    };
    const doomed = { ...context, storage: { ...context.storage, remove: dying } };
    await expect(clearOldRuns(doomed, never)).rejects.toThrow('the power is gone');
    expect(await storedOf(runId)).toEqual({ chunks: 1, artifacts: 1, files: false });
    expect(await clearOldRuns(context, never)).toBe(1);
    expect(await storedOf(runId)).toEqual({ chunks: 0, artifacts: 0, files: false });
  });
});

test('a run that has not ended is never cleared', async () => {
  const runId = await endedRun(1_000);
  await system.pool.query("UPDATE runs SET status = 'queued', finished_at = NULL WHERE id = $1", [runId]);
  expect(await clearOldRuns(context, never)).toBe(0);
});

test('an Idempotency-Key is forgotten after 7 days: then it stands for another request', async () => {
  const [forgotten, kept] = ['of eight days ago', 'of six days ago'].map((key) => key.replaceAll(' ', '-'));
  const first = await trigger(system, project, undefined, { 'idempotency-key': forgotten! });
  const second = await trigger(system, project, undefined, { 'idempotency-key': kept! });
  const age = 'UPDATE idempotency_keys SET created_at = now() - make_interval(days => $2) WHERE key = $1';
  await system.pool.query(age, [forgotten, 8]);
  await system.pool.query(age, [kept, 6]);
  expect(await forgetOldKeys(context)).toBe(1);
  expect(await trigger(system, project, undefined, { 'idempotency-key': forgotten! })).not.toBe(first);
  expect(await trigger(system, project, undefined, { 'idempotency-key': kept! })).toBe(second);
});

test('a worker clears old runs by itself, and removes files that processes left half-written a day ago', async () => {
  const runId = await endedRun(defaultDays + 1);
  const [oldUpload, newUpload] = ['uploads/old.tar.gz', 'uploads/new.tar.gz'];
  const [oldHalf, newHalf] = ['.unfinished-old', '.unfinished-new'];
  for (const path of [oldUpload, oldHalf]) await leave(path, 25);
  for (const path of [newUpload, newHalf]) await leave(path, 23);

  const worker = await system.startWorker();
  await worker.said('cleaned up');
  await until(
    'the run is cleared',
    () => storedOf(runId),
    ({ files, chunks }) => !files && chunks === 0,
  );
  const folder = system.environment['DCTL_STORAGE_DIR']!;
  await until(
    'the old files are gone',
    async () => [...(await readdir(folder)), ...(await readdir(join(folder, 'uploads')))],
    (names) => !names.includes('old.tar.gz') && !names.includes('.unfinished-old'),
  );
  expect(await readdir(join(folder, 'uploads'))).toEqual(['new.tar.gz']);
  expect(await readdir(folder)).toEqual(expect.arrayContaining(['.unfinished-new', 'deployments']));
});

/** Null: as the server says. */
async function keepFor(days: number | null): Promise<void> {
  await system.pool.query('UPDATE organizations SET retention_days = $1', [days]);
}

/** A run as a worker leaves it, which ended so many days ago. */
async function endedRun(daysAgo: number): Promise<string> {
  const runId = await trigger(system, project);
  await system.pool.query(
    `UPDATE runs SET status = 'success', started_at = now() - make_interval(days => $2),
       finished_at = now() - make_interval(days => $2), log_bytes = 13 WHERE id = $1`,
    [runId, daysAgo],
  );
  await system.pool.query(
    `INSERT INTO log_chunks (run_id, starts_at, content) VALUES ($1, 0, 'what dbt said')`,
    [runId],
  );
  await system.pool.query(
    `INSERT INTO artifacts (run_id, path, size_bytes) VALUES ($1, 'manifest.json', 2)`,
    [runId],
  );
  await system.pool.query(
    `INSERT INTO node_results (run_id, unique_id, resource_type, status) VALUES ($1, 'model.a', 'model', 'success')`,
    [runId],
  );
  const content = async function* () {
    yield Buffer.from('{}');
  };
  await context.storage.write(artifactKey(runId, 1, 'manifest.json'), content());
  return runId;
}

async function storedOf(runId: string) {
  const { rows } = await system.pool.query<{ chunks: number; artifacts: number }>(
    `SELECT (SELECT count(*)::int FROM log_chunks WHERE run_id = $1) AS chunks,
       (SELECT count(*)::int FROM artifacts WHERE run_id = $1) AS artifacts`,
    [runId],
  );
  const folder = join(system.environment['DCTL_STORAGE_DIR']!, runKey(runId));
  const files = await readdir(folder).then(
    () => true,
    () => false,
  );
  return { ...rows[0]!, files };
}

/** A file below the storage's folder that nobody has written to for so many hours. */
async function leave(path: string, hoursAgo: number): Promise<void> {
  const whole = join(system.environment['DCTL_STORAGE_DIR']!, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, 'x');
  const then = new Date(Date.now() - hoursAgo * 3_600_000);
  await utimes(whole, then, then);
}
