import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openContext } from '../../src/open-context.ts';
import { sweep } from '../../worker/sweep.ts';
import { loseMessages } from '../support/messages.ts';
import { createJob, trigger } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { deployProjectWithoutImage, quickCommand, recordWebhook } from '../support/webhooks.ts';

const waiting = 12;

let system: System;
let context: ReturnType<typeof openContext>;

/** Nobody takes a message here: it is as if all workers were busy. */
beforeAll(async () => {
  system = await startSystem({ workers: 0, environment: { DCTL_SWEEP_SECONDS: '0.2' } });
  context = openContext(readConfig(system.environment), createLog('setup', 'error'));
});
afterAll(async () => {
  await context.close();
  await system.stop();
});

test('while every worker is busy, sweeping adds no message to those that wait, and rings again for lost ones', async () => {
  const { projectId } = await deployProjectWithoutImage(system);
  const jobId = await createJob(system, projectId, { command: quickCommand, max_parallel_runs: 100 });
  const job = { projectId, jobId };
  for (let count = 0; count < waiting; count += 1) {
    const runId = await trigger(system, job);
    await recordWebhook(context, job, runId, 'http://127.0.0.1:9/');
  }
  await until(
    'the last of them counts as forgotten',
    async () =>
      (await system.pool.query(`SELECT now() - max(created_at) > '0.3 s' AS is FROM deliveries`)).rows,
    ([row]) => row.is,
  );

  // The webhooks were recorded without a message: the first sweep rings for them, and no other does.
  for (let sweeps = 0; sweeps < 3; sweeps += 1) {
    await sweep(context);
    expect(await context.doorbell.countWaiting()).toMatchObject({ runs: waiting, deliveries: waiting });
  }
  await loseMessages(system);
  await sweep(context);
  expect(await context.doorbell.countWaiting()).toMatchObject({ runs: waiting, deliveries: waiting });
});
