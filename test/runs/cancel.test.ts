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
const slowly = `dbt build --vars '{"slow_seconds": 300}'`;

let system: System;
let project: DeployedProject;
let probe: DeployedProject;
let receiver: Receiver;

beforeAll(async () => {
  const environment = { DCTL_CANCEL_GRACE_SECONDS: String(graceSeconds) };
  system = await startSystem({ environment });
  [project, probe] = await Promise.all([deployProject(system), deployProbe(system)]);
  receiver = await startReceiver((response) => response.end());
});
afterAll(async () => {
  await system.stop();
  await receiver.close();
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
    expect(rows).toContainEqual({ actor_kind: 'token', action: 'run.cancelled' });

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
    const log = await logOf(system, runId);
    expect(log).toMatch(/CANCEL/i);
    expect(signalsSent(runId).map(({ signal }) => signal)).toEqual(['SIGINT']);
    // Long before the worker renews its lease.
    const heardAfterMs = signalsSent(runId)[0]!.time.getTime() - Date.parse(ran.cancel_requested_at);
    expect(heardAfterMs).toBeLessThan(5_000);
    const { interruption } = await known(runId);
    // How much it comes to say depends on what its adapter is at.
    const said = log.split('\n').filter((line) => /CANCEL query|keyboard interrupt/.test(line));
    expect(interruption.last_words).toEqual(expect.arrayContaining(said.map((line) => line.trim())));
    expect(interruption.kill_sent_at).toBeNull();
    expectInOrder([ran.cancel_requested_at, interruption.signal_sent_at, interruption.container_gone_at]);
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
    const { interruption } = await known(runId);
    expectInOrder([
      interruption.signal_sent_at,
      interruption.kill_sent_at,
      ran.end_time,
      interruption.container_gone_at,
    ]);
    expect(interruption.last_words.join()).not.toContain('going on');
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

function cancel(runId: string) {
  return system.call('POST', `/api/v1/runs/${runId}/cancel`);
}

async function runOf(runId: string): Promise<any> {
  return (await system.call('GET', `/api/v1/runs/${runId}`)).body;
}

/** The run, once it is known that its container is gone. */
function known(runId: string): Promise<any> {
  return until(
    'its container is gone',
    () => runOf(runId),
    ({ interruption }) => interruption?.container_gone_at != null,
  );
}

function expectInOrder(times: string[]): void {
  expect(times.toSorted()).toEqual(times);
}

/** What the workers say they sent, in order. */
function signalsSent(runId: string) {
  const lines = system.workers.flatMap((worker) => worker.lines);
  return lines
    .filter(({ run, signal }) => run === runId && signal)
    .map(({ signal, time }) => ({ signal, time: new Date(String(time)) }));
}
