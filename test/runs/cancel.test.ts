import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { insertToken, withToken } from '../support/organization.ts';
import { createJob, deployProject, ended, trigger, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { bodyOf, deliveriesOf, deliveryEnded, hitsOf, quickCommand } from '../support/webhooks.ts';
import { begin, deployProbe, logOf } from '../worker/probe.ts';

const graceSeconds = 2;
/** The promise, for whatever grace up to the default one of 10 s. */
const overMs = 15_000;
const timesEach = 20;
const atOnce = 8;
/** The last thing that dbt does for the quick command. */
const hasSaidHello = `EXISTS (SELECT FROM log_chunks
  WHERE run_id = runs.id AND convert_from(content, 'UTF8') LIKE '%Hello%')`;
const slowly = `dbt build --vars '{"slow_seconds": 300}'`;

let system: System;
let project: DeployedProject;
let probe: DeployedProject;
let receiver: Receiver;

beforeAll(async () => {
  const environment = { DCTL_CANCEL_GRACE_SECONDS: String(graceSeconds) };
  system = await startSystem({ workers: 2, environment });
  [project, probe] = await Promise.all([deployProject(system), deployProbe(system)]);
  receiver = await startReceiver((response) => response.end());
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
});

test(`a run that is cancelled comes to one end within 15 s, whatever it is doing`, async () => {
  const [slow, quick] = await Promise.all([webhookJob(slowly), webhookJob(quickCommand)]);
  const when: Record<string, () => Promise<string>> = {
    queued: async () => after(30, await trigger(system, slow)),
    creating: async () => after(600, await trigger(system, slow)),
    running: async () => after(2_000, await reached('launched_at IS NOT NULL', slow)),
    finishing: async () => after(400, await reached(hasSaidHello, quick)),
  };
  const seen: { state: string; runId: string; answer: number; ms: number; ran: any }[] = [];
  const cancelOne = async (state: string) => {
    const runId = await when[state]!();
    const cancelledAt = performance.now();
    const { status: answer } = await cancel(runId);
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

describe('a run that waits', () => {
  test('ends at once when it is cancelled, never having begun, and its webhook and the audit log say so', async () => {
    const job = await webhookJob(slowly, { max_parallel_runs: 1 });
    const first = await trigger(system, job);
    const [second, third] = [await trigger(system, job), await trigger(system, job)];
    const cancelled = await cancel(second);
    expect(cancelled).toMatchObject({
      status: 200,
      body: {
        id: second,
        status: 'error',
        status_reason: 'cancelled',
        error_message: 'The run was cancelled by first start.',
        cancelled_by: 'first start',
        start_time: null,
        duration_seconds: null,
      },
    });
    expect(cancelled.body.cancel_requested_at).toEqual(cancelled.body.end_time);
    expect(await deliveryEnded(system, job, second)).toMatchObject({
      event: 'job.failed',
      state: 'delivered',
    });
    const [hit] = hitsOf(receiver.hits, second);
    expect(bodyOf(hit!).conf.job_run).toMatchObject({
      status: 'error',
      start_time: null,
      duration_seconds: null,
      error_message: 'The run was cancelled by first start.',
    });
    const { rows } = await system.pool.query(
      "SELECT actor_kind, action FROM audit_events WHERE subject_kind = 'run' AND subject_id = $1",
      [second],
    );
    expect(rows).toEqual([{ actor_kind: 'token', action: 'run.cancelled' }]);

    // The run behind it is next.
    await cancel(first);
    await until(
      'the third run begins',
      () => runOf(third),
      ({ status }) => status === 'running',
    );
    await cancel(third);
    await ended(system, third);
  });
});

describe('a run that executes', () => {
  test('is interrupted, so that dbt cancels what runs in the warehouse', async () => {
    const runId = await begin(system, project, slowly);
    await until(
      'dbt is at work',
      () => logOf(system, runId),
      (log) => /START .*model/.test(log),
    );
    expect(await cancel(runId)).toMatchObject({ status: 200, body: { id: runId, status: 'running' } });
    const ran = await ended(system, runId, overMs);
    expect(ran).toMatchObject({ status: 'error', status_reason: 'cancelled', cancelled_by: 'first start' });
    expect(ran.error_message).toBe('The run was cancelled by first start.');
    expect(await logOf(system, runId)).toMatch(/CANCEL/i);
    expect(signalsSent(runId).map(({ signal }) => signal)).toEqual(['SIGINT']);
    // Long before the worker renews its lease.
    const heardAfterMs = signalsSent(runId)[0]!.time.getTime() - Date.parse(ran.cancel_requested_at);
    expect(heardAfterMs).toBeLessThan(5_000);
    const { body: artifacts } = await system.call('GET', `/api/v1/runs/${runId}/artifacts`);
    expect(artifacts.data.map(({ path }: { path: string }) => path)).toContain('manifest.json');
  });

  test('is killed after the grace when it takes no notice, and cancelling it twice is the same as once', async () => {
    const runId = await begin(system, probe, 'dbt run --select stubborn');
    await until(
      'dbt is at work',
      () => logOf(system, runId),
      (log) => log.includes('going on and on'),
    );
    const other = withToken(system, await insertToken(system, { scope: 'trigger' }));
    const first = await cancel(runId);
    const second = await other.call('POST', `/api/v1/runs/${runId}/cancel`);
    expect(second).toMatchObject({
      status: 200,
      body: { cancelled_by: 'first start', cancel_requested_at: first.body.cancel_requested_at },
    });
    const ran = await ended(system, runId, overMs);
    expect(ran).toMatchObject({ status_reason: 'cancelled', cancelled_by: 'first start' });
    expect(signalsSent(runId).map(({ signal }) => signal)).toEqual(['SIGINT', 'SIGKILL']);
    expect(await cancel(runId)).toMatchObject({ status: 200, body: { end_time: ran.end_time } });
  });
});

test('a run that has come to another end is not cancelled: 409 names its status', async () => {
  const runId = await trigger(system, project, { command_override: quickCommand });
  const ran = await ended(system, runId);
  const refused = await cancel(runId);
  expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('"success"') } });
  expect(await runOf(runId)).toEqual(ran);
});

test('whoever may only read cancels nothing', async () => {
  const job = await webhookJob(slowly);
  const runId = await trigger(system, job);
  const reader = withToken(system, await insertToken(system, { scope: 'read' }));
  expect((await reader.call('POST', `/api/v1/runs/${runId}/cancel`)).status).toBe(403);
  expect(await runOf(runId)).toMatchObject({ cancel_requested_at: null, cancelled_by: null });
  await cancel(runId);
  await ended(system, runId);
  expect((await deliveriesOf(system, job)).length).toBe(1);
});

async function webhookJob(command: string, fields: Record<string, unknown> = {}) {
  const webhook = { webhook_enabled: true, webhook_url: receiver.url };
  const jobId = await createJob(system, project.projectId, {
    command,
    max_parallel_runs: 100,
    ...webhook,
    ...fields,
  });
  return { projectId: project.projectId, jobId };
}

/** Lets so many milliseconds pass at most. */
async function after(atMostMs: number, runId: string): Promise<string> {
  await delay(Math.random() * atMostMs);
  return runId;
}

/** Triggers a run and waits until the condition holds of its row. */
async function reached(condition: string, job: { projectId: string; jobId: string }): Promise<string> {
  const runId = await trigger(system, job);
  const look = () => system.pool.query(`SELECT id FROM runs WHERE id = $1 AND ${condition}`, [runId]);
  await until(condition, look, ({ rowCount }) => rowCount === 1);
  return runId;
}

function cancel(runId: string) {
  return system.call('POST', `/api/v1/runs/${runId}/cancel`);
}

async function runOf(runId: string): Promise<any> {
  return (await system.call('GET', `/api/v1/runs/${runId}`)).body;
}

/** What the workers say they sent, in order. */
function signalsSent(runId: string) {
  const lines = system.workers.flatMap((worker) => worker.lines);
  return lines
    .filter(({ run, signal }) => run === runId && signal)
    .map(({ signal, time }) => ({ signal, time: new Date(String(time)) }));
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
