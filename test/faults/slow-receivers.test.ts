import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectInvariants } from '../support/invariants.ts';
import { deployProject, ended, trigger, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import {
  createWebhookJob,
  deliveryEnded,
  deployProjectWithoutImage,
  hitsOf,
  runAndTell,
} from '../support/webhooks.ts';

// With the time limits of production: 10 s for a try, 2 s before the retry.
let system: System;
let project: DeployedProject;
/** Takes every webhook and never answers. */
let silent: Receiver;
let prompt: Receiver;

beforeAll(async () => {
  [system, silent, prompt] = await Promise.all([
    startSystem(),
    startReceiver(() => undefined),
    startReceiver((response) => response.end()),
  ]);
  project = await deployProject(system);
});
afterAll(async () => {
  await expectInvariants(system, { withinMs: 60_000 });
  await Promise.all([silent.close(), prompt.close()]);
  await system.stop();
});

// F31
test('while 40 webhooks hang, others are sent within a second and runs go on', async () => {
  const stuck = await createWebhookJob(system, await deployProjectWithoutImage(system), silent.url, {
    max_parallel_runs: 100,
  });
  const stuckRuns = await Promise.all(Array.from({ length: 40 }, () => trigger(system, stuck)));
  await until(
    '40 webhooks hang',
    () => silent.hits.length,
    (count) => count >= 40,
  );

  const { run } = await runAndTell(system, await createWebhookJob(system, project, prompt.url));
  expect(run.status).toBe('success');
  const [hit] = hitsOf(prompt.hits, run.id);
  expect(hit!.arrivedAt.getTime() - Date.parse(run.end_time)).toBeLessThan(1_000);
  expect(silent.connections()).toBeGreaterThanOrEqual(40);

  // Each is cut off after 10 s, tried once more, cut off again; their runs ended as they would have anyway.
  const delivery = await deliveryEnded(system, stuck, stuckRuns[0]!);
  expect(delivery).toMatchObject({
    state: 'failed',
    tries: [{ result: 'timed_out' }, { result: 'timed_out' }],
  });
  for (const { duration_ms } of delivery.tries) {
    expect(duration_ms).toBeGreaterThanOrEqual(9_995);
    expect(duration_ms).toBeLessThan(10_500);
  }
  const [first, second] = delivery.tries.map((each: any) => Date.parse(each.started_at));
  expect(second - first).toBeGreaterThanOrEqual(11_990);
  expect(hitsOf(silent.hits, stuckRuns[0]!)).toHaveLength(2);
  expect(await ended(system, stuckRuns[0]!)).toMatchObject({
    status: 'error',
    status_reason: 'image_not_found',
  });
});
