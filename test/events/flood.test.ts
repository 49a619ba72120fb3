import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectNoErrors } from '../support/errors.ts';
import { createRule, createSource, send } from '../support/events.ts';
import { createJob, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { deployProjectWithoutImage } from '../support/webhooks.ts';

const events = 5_000;
const atOnce = 20;

let system: System;
let project: DeployedProject;

/** No worker, but for the one that closes windows once all has come: runs fail at once, for there is no image. */
beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProjectWithoutImage(system);
});
afterAll(() => system.stop());

test('of many events that come as fast as they are taken none is lost, and each is in exactly one run', async () => {
  const source = await createSource(system, 'standard_webhooks');
  const jobId = await createJob(system, project.projectId, {});
  const window = { job_id: jobId, window_seconds: 2 };
  const conditions = [{ variable_name: 'rows', operation: 'GREATER_THAN', value: 0 }];
  await createRule(system, source, project, { ...window, conditions, cause: '${{received.COUNT}}' });
  const statuses = new Map<number, number>();
  let next = 0;
  const sendAll = async () => {
    for (let number = next++; number < events; number = next++) {
      // One in ten brings nothing; one in fifty comes twice.
      const times = number % 50 === 0 ? 2 : 1;
      for (let time = 0; time < times; time += 1) {
        const { status } = await send(system, source, `event-${number}`, { number, rows: number % 10 });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: atOnce }, sendAll));
  const seconds = (performance.now() - startedAt) / 1_000;
  console.info(
    `${events} events in ${seconds.toFixed(1)} s: ${Math.round(events / seconds)} a second, ${atOnce} at once`,
  );
  expect([...statuses]).toEqual([[200, events + events / 50]]);

  const closing = await system.startWorker();
  const waiting = async () =>
    (await system.pool.query("SELECT count(*)::int FROM event_verdicts WHERE verdict = 'gathering'")).rows[0]
      .count;
  await until('no event waits', waiting, (count) => count === 0);
  closing.signal('SIGTERM');
  await closing.ended;

  const { rows: verdicts } = await system.pool.query(
    `SELECT verdict, count(*)::int AS events, count(DISTINCT event_id)::int AS different, count(run_id)::int AS with_run
     FROM event_verdicts GROUP BY verdict ORDER BY verdict`,
  );
  expect(verdicts).toEqual([
    { verdict: 'no_match', events: events / 10, different: events / 10, with_run: 0 },
    { verdict: 'run', events: (events * 9) / 10, different: (events * 9) / 10, with_run: (events * 9) / 10 },
  ]);
  const { rows: stored } = await system.pool.query(
    'SELECT count(*)::int, count(DISTINCT external_id)::int AS different FROM events',
  );
  expect(stored).toEqual([{ count: events, different: events }]);
  const { rows: runs } = await system.pool.query(
    `SELECT cause, (SELECT count(*)::text FROM event_verdicts WHERE run_id = runs.id) AS events FROM runs ORDER BY created_at`,
  );
  expect(runs.length).toBeGreaterThan(0);
  for (const run of runs) expect(run.cause).toBe(run.events);
  console.info(`${runs.length} runs of ${runs.map(({ events: of }) => of).join(', ')} events`);
  expectNoErrors(system);
}, 240_000);
