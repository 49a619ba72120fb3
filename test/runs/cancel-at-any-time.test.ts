import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { packFolder } from '../../scripts/setup/archive.ts';
import { ended, trigger } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { bodyOf, createWebhookJob, type JobKey } from '../support/webhooks.ts';
import { deployProbe } from '../worker/probe.ts';

/** The promise, for whatever grace up to the default one of 10 s. */
const overMs = 15_000;
const timesEach = 20;
const atOnce = 8;
/** The runner's image with something in dbt's place that costs nothing. */
const image = `dctl-test-idle:${randomBytes(4).toString('hex')}`;
const isAtWork = `EXISTS (SELECT FROM log_chunks
  WHERE run_id = runs.id AND convert_from(content, 'UTF8') LIKE '%at work%')`;

let system: System;
let slow: JobKey;
let quick: JobKey;
let receiver: Receiver;

beforeAll(async () => {
  const environment = { DCTL_CANCEL_GRACE_SECONDS: '2', DCTL_RUNNER_IMAGE: image };
  system = await startSystem({ workers: 2, environment });
  await buildIdleImage();
  receiver = await startReceiver((response) => response.end());
  const project = await deployProbe(system);
  const manyAtOnce = { max_parallel_runs: 100 };
  slow = await createWebhookJob(system, project, receiver.url, { command: 'dbt build', ...manyAtOnce });
  quick = await createWebhookJob(system, project, receiver.url, manyAtOnce);
  // Every change of a run's status, also one that is undone by the next.
  await system.pool.query(`
    CREATE TABLE status_changes (run_id text, status text);
    CREATE FUNCTION note_status() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO status_changes VALUES (NEW.id, NEW.status); RETURN NEW; END $$;
    CREATE TRIGGER note_status AFTER UPDATE ON runs FOR EACH ROW
      WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION note_status()`);
});
afterAll(async () => {
  await system.stop();
  await receiver.close();
  await system.docker.getImage(image).remove();
});

test(`a run that is cancelled comes to one end within 15 s, whatever it is doing`, async () => {
  const when: Record<string, () => Promise<string>> = {
    queued: async () => after(10, await trigger(system, slow)),
    creating: async () => after(600, await trigger(system, slow)),
    running: async () => after(500, await reached('launched_at IS NOT NULL', slow)),
    finishing: async () => after(300, await reached(isAtWork, quick)),
  };
  const seen: { state: string; runId: string; answer: number; ms: number; ran: any }[] = [];
  const cancelOne = async (state: string) => {
    const runId = await when[state]!();
    const cancelledAt = performance.now();
    const { status: answer } = await system.call('POST', `/api/v1/runs/${runId}/cancel`);
    const ran = await ended(system, runId, overMs);
    seen.push({ state, runId, answer, ms: Math.round(performance.now() - cancelledAt), ran });
  };
  const wanted = Object.keys(when).flatMap((state) => Array.from({ length: timesEach }, () => state));
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let state = wanted.pop(); state !== undefined; state = wanted.pop()) await cancelOne(state);
    }),
  );
  console.info(summary(seen));

  expect(seen).toHaveLength(4 * timesEach);
  const { rows: changes } = await system.pool.query<{ run_id: string; status: string }>(
    'SELECT * FROM status_changes',
  );
  for (const { runId, answer, ran } of seen) {
    const { status, status_reason: reason } = (await system.call('GET', `/api/v1/runs/${runId}`)).body;
    expect({ runId, status, reason }).toEqual({ runId, status: ran.status, reason: ran.status_reason });
    const ends = changes.filter((change) => change.run_id === runId && change.status !== 'running');
    expect(ends).toEqual([{ run_id: runId, status }]);
    // Whatever was not cancelled had come to its own end.
    expect([`200 cancelled`, `200 null`, `409 null`]).toContain(`${answer} ${reason}`);
  }
  expect(seen.filter(({ ran }) => ran.status_reason === 'cancelled').length).toBeGreaterThan(2 * timesEach);
  await expectOneWebhookEach(seen.map(({ runId }) => runId));
  await expectNoContainers(seen.map(({ runId }) => runId));
  const said = system.workers.flatMap(({ lines }) => lines.map(({ msg }) => msg));
  expect(said).not.toContain('a message could not be handled');
});

async function buildIdleImage(): Promise<void> {
  const folder = await packFolder(join(import.meta.dirname, 'idle-dbt'));
  const buildargs = { RUNNER: process.env['DCTL_TEST_RUNNER_IMAGE'] ?? '' };
  const building = await system.docker.buildImage(Readable.from([folder]), { t: image, buildargs });
  await new Promise<void>((resolve, reject) => {
    system.docker.modem.followProgress(building, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Lets so many milliseconds pass at most. */
async function after(atMostMs: number, runId: string): Promise<string> {
  await delay(Math.random() * atMostMs);
  return runId;
}

/** Triggers a run and waits until the condition holds of its row. */
async function reached(condition: string, job: JobKey): Promise<string> {
  const runId = await trigger(system, job);
  const look = () => system.pool.query(`SELECT id FROM runs WHERE id = $1 AND ${condition}`, [runId]);
  await until(condition, look, ({ rowCount }) => rowCount === 1);
  return runId;
}

function summary(seen: { state: string; ms: number; ran: any }[]): string {
  return [...new Set(seen.map(({ state }) => state))]
    .map((state) => {
      const these = seen.filter((each) => each.state === state);
      const before = these.filter(({ ran }) => ran.start_time === null).length;
      const own = these.filter(({ ran }) => ran.status_reason !== 'cancelled').length;
      const slowest = Math.max(...these.map(({ ms }) => ms));
      return `${state}: ${these.length}, ${before} before their claim, ${own} kept their own result, slowest ${slowest} ms`;
    })
    .join('\n');
}

async function expectOneWebhookEach(runIds: string[]): Promise<void> {
  const hits = () =>
    receiver.hits.map((hit) => bodyOf(hit).conf.job_run.id).filter((id) => runIds.includes(id));
  await until('all webhooks have come', hits, ({ length }) => length >= runIds.length);
  expect(hits().toSorted()).toEqual(runIds.toSorted());
  const { rows } = await system.pool.query('SELECT run_id FROM deliveries WHERE run_id = ANY($1)', [runIds]);
  expect(rows).toHaveLength(runIds.length);
}

async function expectNoContainers(runIds: string[]): Promise<void> {
  const filters = { label: ['dctl.run_id'] };
  await until(
    'no container is left',
    async () =>
      (await system.docker.listContainers({ all: true, filters })).filter(({ Labels }) =>
        runIds.includes(Labels['dctl.run_id'] ?? ''),
      ),
    ({ length }) => length === 0,
  );
}
