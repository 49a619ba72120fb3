import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { onServer } from '../support/database.ts';
import { startProcess, type TestProcess } from '../support/process.ts';
import { call, startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const role = `crowded_${randomBytes(4).toString('hex')}`;
let system: System;
/** An API process that comes to Postgres under a role of its own. */
let api: TestProcess;
let url: string;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  await onServer(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD 'crowded'`);
  const database = new URL(system.environment['DATABASE_URL']!);
  database.username = role;
  database.password = 'crowded';
  api = startProcess('dist/src/main.js', { ...system.environment, DATABASE_URL: database.href });
  const { address } = (await api.said('serving')) as { address: { port: number } };
  url = `http://127.0.0.1:${address.port}`;
});
afterAll(async () => {
  api.signal('SIGTERM');
  await api.ended;
  await system.stop();
  await onServer(`DROP ROLE ${role}`);
});

test('while Postgres has no connection left, requests are 503 with Retry-After, and served again afterwards', async () => {
  const ask = () =>
    call(`${url}/api/v1/projects`, 'GET', undefined, { authorization: `Bearer ${system.token}` });
  expect((await ask()).status).toBe(200);

  await onServer(`ALTER ROLE ${role} NOSUPERUSER CONNECTION LIMIT 0`);
  await onServer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`);
  for (let count = 0; count < 3; count += 1) {
    const answer = await ask();
    expect(answer).toMatchObject({ status: 503, body: { type: 'urn:dctl:error:unavailable' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }

  await onServer(`ALTER ROLE ${role} SUPERUSER CONNECTION LIMIT -1`);
  await until('requests are served', ask, ({ status }) => status === 200, 20_000);
});
