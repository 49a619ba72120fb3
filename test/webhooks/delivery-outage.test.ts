import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DeployedProject } from '../support/project.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { startReceiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { createWebhookJob, deployProjectWithoutImage, runAndTell } from '../support/webhooks.ts';

const outageMs = 2_000;

let system: System;
let project: DeployedProject;
/** Between the worker and Postgres. */
let line: Proxy;

beforeAll(async () => {
  system = await startSystem({ workers: 0, environment: { DCTL_WEBHOOK_RETRY_SECONDS: '0.5' } });
  const database = new URL(system.environment['DATABASE_URL']!);
  line = await startProxy({ host: database.hostname, port: Number(database.port || 5432) });
  database.host = `127.0.0.1:${line.port}`;
  await system.startWorker({ DATABASE_URL: database.href });
  project = await deployProjectWithoutImage(system);
});
afterAll(async () => {
  await system.stop();
  await line.close();
});

test.each([
  [500, 'is sent once more', [{ status_code: 500 }, { status_code: 200 }]],
  [200, 'is delivered', [{ status_code: 200 }]],
])(
  'a webhook answered %d while the database is away %s when it is back',
  async (status, _what, tries) => {
    const receiver = await startReceiver(async (response) => {
      if (receiver.hits.length > 1) return void response.end();
      await line.cut();
      response.writeHead(status).end();
      await delay(outageMs);
      await line.mend();
    });
    const { delivery } = await runAndTell(system, await createWebhookJob(system, project, receiver.url));
    expect(delivery).toMatchObject({ state: 'delivered', tries });
    expect(receiver.hits).toHaveLength(tries.length);
    await receiver.close();
  },
  90_000,
);
