import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openContext } from '../../src/open-context.ts';
import { beginTry, giveUpHalfSent, setAside, takeDelivery } from '../../src/webhooks/store.ts';
import { createJob, trigger } from '../support/project.ts';
import { startReceiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import {
  deliveryEnded,
  deployProjectWithoutImage,
  quickCommand,
  recordWebhook,
  type JobKey,
} from '../support/webhooks.ts';

// A delivery nobody has ended after 2 * 1 + 0.5 + 2 s is given up.
const times = {
  DCTL_WEBHOOK_TIMEOUT_SECONDS: '1',
  DCTL_WEBHOOK_RETRY_SECONDS: '0.5',
  DCTL_LEASE_SECONDS: '2',
  DCTL_SWEEP_SECONDS: '0.2',
};

let system: System;
let context: ReturnType<typeof openContext>;
let job: JobKey;

beforeAll(async () => {
  system = await startSystem({ workers: 0, environment: times });
  context = openContext(readConfig(system.environment), createLog('setup', 'error'));
  const { projectId } = await deployProjectWithoutImage(system);
  job = { projectId, jobId: await createJob(system, projectId, { command: quickCommand }) };
});
afterAll(async () => {
  await context.close();
  await system.stop();
});

test('a worker that ended before its first try costs no webhook, and may not send when it comes back', async () => {
  const { db } = context;
  let mayBegin: boolean | undefined;
  const receiver = await startReceiver(async (response) => {
    mayBegin = await beginTry(db, absent!, 1);
    response.end();
  });
  const runId = await trigger(system, job);
  const absent = await takeDelivery(db, await recordWebhook(context, job, runId, receiver.url));

  await system.startWorker();
  expect(await deliveryEnded(system, job, runId)).toMatchObject({
    state: 'delivered',
    tries: [{ number: 1, status_code: 200 }],
  });
  expect(mayBegin).toBe(false);
  expect(receiver.hits).toHaveLength(1);
  expect(await beginTry(db, absent!, 2)).toBe(false);
  await receiver.close();
});

test('a first try that is being begun while the delivery is given up is never sent by two', async () => {
  const { db, pool } = context;
  const runId = await trigger(system, job);
  const taken = await takeDelivery(db, await recordWebhook(context, job, runId, 'http://127.0.0.1:9/'));

  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query(`SELECT FROM deliveries WHERE id = $1 FOR UPDATE`, [taken!.id]);
  const sweeping = giveUpHalfSent(db, 0);
  await client.query('INSERT INTO delivery_tries (delivery_id, number) VALUES ($1, 1)', [taken!.id]);
  expect(await sweeping).toEqual([]);
  await client.query('COMMIT');
  client.release();

  expect(await giveUpHalfSent(db, 0)).toEqual([{ id: taken!.id, state: 'unknown' }]);
  expect(await beginTry(db, taken!, 2)).toBe(false);
});

test('a try that is begun again after a broken connection is the same try', async () => {
  const { db } = context;
  const runId = await trigger(system, job);
  const taken = await takeDelivery(db, await recordWebhook(context, job, runId, 'http://127.0.0.1:9/'));
  expect(await beginTry(db, taken!, 1)).toBe(true);
  expect(await beginTry(db, taken!, 1)).toBe(true);
  expect(await db.deliveryTry.count({ where: { deliveryId: taken!.id } })).toBe(1);
});

test("what was set aside for a retry is nobody's until then, and waits again when its next worker ended before it began", async () => {
  const { db } = context;
  const runId = await trigger(system, job);
  const id = await recordWebhook(context, job, runId, 'http://127.0.0.1:9/');
  const first = await takeDelivery(db, id);
  const refused = { statusCode: 500, durationMs: 1, answer: '', result: 'answered', explanation: 'Later.' };
  expect(await beginTry(db, first!, 1)).toBe(true);
  await setAside(db, first!, 1, refused, 3_600_000);
  expect(await takeDelivery(db, id)).toBeNull();
  await system.pool.query('UPDATE deliveries SET not_before = clock_timestamp() WHERE id = $1', [id]);

  const second = await takeDelivery(db, id);
  expect(second).toMatchObject({ triesBefore: 1 });
  expect(await giveUpHalfSent(db, 0)).toContainEqual({ id, state: 'pending' });
  expect(await beginTry(db, second!, 2)).toBe(false);

  const third = await takeDelivery(db, id);
  expect(await beginTry(db, third!, 2)).toBe(true);
  expect(await giveUpHalfSent(db, 0)).toContainEqual({ id, state: 'unknown' });
});
