import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { expectInvariants } from '../support/invariants.ts';
import { startProcess, type TestProcess } from '../support/process.ts';
import { createJob, ended } from '../support/project.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { makeStandIn, work } from '../support/stand-in.ts';
import { call, startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { countWaiting } from '../support/waiting.ts';
import { deployProbe } from '../worker/probe.ts';

const sweepSeconds = 1;

let standIn: Awaited<ReturnType<typeof makeStandIn>>;
let redis: RedisServer;
let system: System;
let path: string;
const apis: TestProcess[] = [];

beforeAll(async () => {
  [standIn, redis] = await Promise.all([makeStandIn(), startRedis()]);
  system = await startSystem({
    environment: {
      REDIS_URL: redis.url,
      DCTL_RUNNER_IMAGE: standIn.image,
      DCTL_SWEEP_SECONDS: String(sweepSeconds),
    },
  });
  const { projectId } = await deployProbe(system);
  path = `/api/v1/projects/${projectId}/jobs/${await createJob(system, projectId, { command: work(0.1) })}/trigger`;
});
afterEach(() => expectInvariants(system));
afterAll(async () => {
  for (const api of apis) api.signal('SIGKILL');
  await system.stop();
  await redis.close();
  await standIn.remove();
});

// F14
test('a run whose API died after it was recorded and before the queue was told begins within a sweep', async () => {
  const doomed = await startApi();
  // Asleep, Redis takes no message. The caller may or may not have been answered.
  redis.signal('SIGSTOP');
  const answer = doomed.trigger('recorded').catch(() => 'none');
  const runId = await until('the run is recorded', newestRun, (id) => id !== undefined);
  doomed.kill();
  await answer;
  redis.signal('SIGCONT');
  const wokenAt = performance.now();

  await until(
    'the run has begun',
    async () => (await system.call('GET', `/api/v1/runs/${runId}`)).body.status,
    (status) => status !== 'queued',
    (2 * sweepSeconds + 2 + 2) * 1_000,
  );
  console.info(`begun after ${Math.round(performance.now() - wokenAt)} ms`);
  const again = await (await startApi()).trigger('recorded');
  expect(again).toMatchObject({ status: 200, body: { job_run_id: runId } });
  expect(await ended(system, runId!)).toMatchObject({ status: 'success' });
});

// F15
test('a trigger whose API died before the run was recorded leaves no run, and one when it is sent again', async () => {
  const before = await countRuns();
  const doomed = await startApi();
  const lock = new pg.Client({ connectionString: system.environment['DATABASE_URL'] });
  await lock.connect();
  await lock.query('BEGIN; LOCK TABLE idempotency_keys IN EXCLUSIVE MODE');
  const answer = doomed.trigger('lost').catch(() => 'none');
  await until(
    'the trigger waits',
    () => countWaiting(system),
    (count) => count === 1,
  );
  doomed.kill();
  expect(await answer).toBe('none');
  await lock.end();
  await until(
    'its connection is gone',
    () => countWaiting(system),
    (count) => count === 0,
  );

  const first = await (await startApi()).trigger('lost');
  const second = await (await startApi()).trigger('lost');
  expect(first.status).toBe(200);
  expect(second.body).toEqual(first.body);
  expect(await ended(system, first.body.job_run_id)).toMatchObject({ status: 'success' });
  expect(await countRuns()).toBe(before + 1);
});

/** One more API process on the same database. */
async function startApi() {
  const api = startProcess('dist/src/main.js', system.environment);
  apis.push(api);
  const { address } = (await api.said('serving')) as { address: { port: number } };
  return {
    kill: () => api.signal('SIGKILL'),
    trigger: (key: string) =>
      call(
        `http://127.0.0.1:${address.port}${path}`,
        'POST',
        {},
        {
          authorization: `Bearer ${system.token}`,
          'idempotency-key': key,
        },
      ),
  };
}

async function newestRun(): Promise<string | undefined> {
  const { rows } = await system.pool.query('SELECT id FROM runs ORDER BY created_at DESC LIMIT 1');
  return rows[0]?.id;
}

async function countRuns(): Promise<number> {
  return (await system.pool.query('SELECT count(*)::int FROM runs')).rows[0].count;
}
