import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startProcess, type TestProcess } from '../support/process.ts';
import { deployProject, trigger } from '../support/project.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { call, startSystem, type System } from '../support/system.ts';

const awayMs = 3_000;

let system: System;
let proxy: Proxy;
/** An API process that comes to Postgres over a line that can be cut. */
let api: TestProcess;
let url: string;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  const database = new URL(system.environment['DATABASE_URL']!);
  proxy = await startProxy({ host: database.hostname, port: Number(database.port) });
  database.host = `127.0.0.1:${proxy.port}`;
  api = startProcess('dist/src/main.js', { ...system.environment, DATABASE_URL: database.href });
  const { address } = (await api.said('serving')) as { address: { port: number } };
  url = `http://127.0.0.1:${address.port}`;
});
afterAll(async () => {
  api.signal('SIGTERM');
  await api.ended;
  await proxy.close();
  await system.stop();
});

test('whoever asks how a run is gets the answer although the database was away for some seconds', async () => {
  const runId = await trigger(system, await deployProject(system));
  const ask = (path: string) =>
    call(url + path, 'GET', undefined, { authorization: `Bearer ${system.token}` });
  const path = `/api/v1/runs/${runId}`;
  expect((await ask(path)).status).toBe(200);

  await proxy.cut();
  const asked = ask(path);
  // Others are told at once, so that they can do something else.
  expect((await ask('/api/v1/projects')).status).toBe(503);
  await delay(awayMs);
  await proxy.mend();
  expect(await asked).toMatchObject({ status: 200, body: { id: runId, status: 'queued' } });

  await proxy.cut();
  const askedAt = performance.now();
  expect((await ask(path)).status).toBe(503);
  expect(performance.now() - askedAt).toBeGreaterThan(awayMs);
  await proxy.mend();
});
