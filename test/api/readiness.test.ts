import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startProcess, type TestProcess } from '../support/process.ts';
import { deployProject } from '../support/project.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { startRedis } from '../support/redis.ts';
import { call, startSystem, type Answer, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

let system: System;
let proxy: Proxy;
/** An API process whose way to Postgres can be broken. */
let api: TestProcess;
let url: string;
let triggerPath: string;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  const { projectId, jobId } = await deployProject(system);
  triggerPath = `/api/v1/projects/${projectId}/jobs/${jobId}/trigger`;

  const database = new URL(system.environment['DATABASE_URL']!);
  proxy = await startProxy({ host: database.hostname, port: Number(database.port) });
  database.host = `127.0.0.1:${proxy.port}`;
  api = startProcess('dist/src/main.js', { ...system.environment, DATABASE_URL: database.href });
  const { address } = (await api.said('serving')) as { address: { port: number } };
  url = `http://127.0.0.1:${address.port}`;
});
afterEach(() => proxy.mend());
afterAll(async () => {
  api.signal('SIGTERM');
  await api.ended;
  await proxy.close();
  await system.stop();
});

const ask = (method: string, path: string, headers = {}) =>
  call(url + path, method, undefined, { authorization: `Bearer ${system.token}`, ...headers });

async function timed(asked: Promise<Answer>): Promise<Answer & { seconds: number }> {
  const startedAt = performance.now();
  const answer = await asked;
  return { ...answer, seconds: (performance.now() - startedAt) / 1_000 };
}

test('a server that can take triggers is ready', async () => {
  // It is asked as soon as it serves, on a machine that may be busy.
  const ready = await until(
    'it is ready',
    () => ask('GET', '/readyz'),
    ({ status }) => status === 200,
  );
  expect(ready.body).toMatchObject({ status: 'ok' });
  expect(await ask('GET', '/livez')).toMatchObject({ status: 200, body: { status: 'ok' } });
});

test.each(['cut', 'stall'] as const)(
  'while the way to Postgres is %s the server says so, refuses triggers in time, and recovers by itself',
  async (fault) => {
    expect((await ask('POST', triggerPath)).status).toBe(200);
    await proxy[fault]();

    const ready = await timed(ask('GET', '/readyz'));
    expect(ready.status).toBe(503);
    expect(ready.headers.get('content-type')).toContain('application/problem+json');
    expect(ready.body.errors).toContainEqual({
      pointer: 'database',
      detail: expect.stringContaining('DATABASE_URL'),
    });
    expect(ready.seconds).toBeLessThan(4);
    expect((await ask('GET', '/livez')).status).toBe(200);

    const refused = await Promise.all([
      timed(ask('POST', triggerPath)),
      timed(ask('POST', triggerPath, { 'idempotency-key': `during ${fault}`.replace(' ', '-') })),
      timed(ask('GET', '/api/v1/runs')),
    ]);
    for (const answer of refused) {
      expect(answer).toMatchObject({ status: 503, body: { type: 'urn:dctl:error:unavailable' } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answer.seconds).toBeLessThan(20);
    }

    await proxy.mend();
    await until(
      'the server is ready',
      () => ask('GET', '/readyz'),
      ({ status }) => status === 200,
      30_000,
    );
    expect((await ask('POST', triggerPath)).status).toBe(200);
    expect(api.child.exitCode).toBeNull();
    expect(api.lines.filter(({ level }) => level === 'error')).toEqual([]);
  },
);

test('a Redis that may lose messages, or takes none, is refused by the name of the setting that makes it so', async () => {
  const redis = await startRedis({ 'maxmemory-policy': 'allkeys-lru' });
  const onRedis = startProcess('dist/src/main.js', { ...system.environment, REDIS_URL: redis.url });
  try {
    const { address } = (await onRedis.said('serving')) as { address: { port: number } };
    const ready = () => call(`http://127.0.0.1:${address.port}/readyz`, 'GET', undefined, {});
    expect(await ready()).toMatchObject({
      status: 503,
      body: {
        errors: [
          {
            pointer: 'queue',
            detail: expect.stringMatching(/maxmemory-policy, which is allkeys-lru, to noeviction/),
          },
        ],
      },
    });

    await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
    expect((await ready()).status).toBe(200);
    await redis.client.config('SET', 'maxmemory', '100kb');
    expect(await ready()).toMatchObject({
      status: 503,
      body: { errors: [{ pointer: 'queue', detail: expect.stringContaining('raise its maxmemory') }] },
    });
    await redis.client.config('SET', 'maxmemory', '1gb');
    expect((await ready()).status).toBe(200);
  } finally {
    onRedis.signal('SIGTERM');
    await onRedis.ended;
    await redis.close();
  }
});
