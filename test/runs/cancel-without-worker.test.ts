import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { watchCreatedContainers } from '../support/created-containers.ts';
import { startDockerProxy } from '../support/docker-proxy.ts';
import type { TestProcess } from '../support/process.ts';
import { ended, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { begin, deployProbe, logOf } from '../worker/probe.ts';

const graceSeconds = 2;
const leaseSeconds = 3;

let system: System;
let project: DeployedProject;
let created: Awaited<ReturnType<typeof watchCreatedContainers>>;

beforeAll(async () => {
  const environment = {
    DCTL_CANCEL_GRACE_SECONDS: String(graceSeconds),
    DCTL_LEASE_SECONDS: String(leaseSeconds),
  };
  system = await startSystem({ workers: 0, environment });
  project = await deployProbe(system);
  created = await watchCreatedContainers(system.docker);
});
afterAll(async () => {
  created.close();
  await system.stop();
});
afterEach(async () => {
  for (const each of system.workers) each.signal('SIGKILL');
  await Promise.all(system.workers.map((each) => each.ended));
});

test('a run that is cancelled while no worker lives is over, and the next worker leaves it alone', async () => {
  const runId = await begin(system, project, 'dbt run-operation say');
  const { body: cancelled } = await cancel(runId);
  expect(cancelled).toMatchObject({ status: 'error', status_reason: 'cancelled', start_time: null });

  await system.startWorker();
  const other = await trigger(system, project, { command_override: 'dbt run-operation say' });
  await ended(system, other);
  expect((await system.call('GET', `/api/v1/runs/${runId}`)).body).toEqual(cancelled);
  expect(created.of(runId)).toEqual([]);
  await expectNoContainer(other);
});

test('a run whose worker died is cancelled by the one that takes over, and its container with it', async () => {
  const worker = await system.startWorker();
  const runId = await counting();
  await kill(worker);
  expect(await cancel(runId)).toMatchObject({ status: 200, body: { status: 'running' } });

  await system.startWorker();
  expect(await ended(system, runId, 15_000)).toMatchObject({ status: 'error', status_reason: 'cancelled' });
  expect(created.of(runId)).toHaveLength(1);
  await expectNoContainer(runId);
});

test('a run whose worker died before the launch is not launched by the one that takes over', async () => {
  const proxy = await startDockerProxy();
  try {
    const held = proxy.hold(/^POST .*\/containers\/create/);
    const worker = await system.startWorker({ DOCKER_HOST: proxy.host });
    const runId = await begin(system, project, 'dbt run-operation say');
    await held;
    await kill(worker);
    await cancel(runId);
    await system.startWorker();
    expect(await ended(system, runId, 15_000)).toMatchObject({ status_reason: 'cancelled' });
    expect(created.of(runId)).toEqual([]);
  } finally {
    await proxy.close();
  }
});

test.each([
  ['make the container', /^POST .*\/containers\/create/, 1_000],
  ['take the files', /^PUT .*\/archive/, 1_000],
  ['start the container', /^POST .*\/start/, (graceSeconds + 3 + 1) * 1_000],
])('a cancelled run does not wait for an engine that does not %s', async (_what, request, withinMs) => {
  const proxy = await startDockerProxy();
  try {
    const held = proxy.hold(request);
    await system.startWorker({ DOCKER_HOST: proxy.host });
    const runId = await begin(system, project, 'dbt run-operation say');
    await held;
    const cancelledAt = performance.now();
    await cancel(runId);
    expect(await ended(system, runId, 15_000)).toMatchObject({ status: 'error', status_reason: 'cancelled' });
    expect(performance.now() - cancelledAt).toBeLessThan(withinMs + 1_000);

    await system.startWorker();
    await expectNoContainer(runId);
  } finally {
    await proxy.close();
  }
});

test('a cancel that the worker is not told of is noticed when it renews its lease', async () => {
  await system.startWorker();
  const runId = await counting();
  await system.pool.query('UPDATE runs SET cancelled_by = $2, cancel_requested_at = now() WHERE id = $1', [
    runId,
    'somebody',
  ]);
  const ran = await ended(system, runId, (leaseSeconds / 3 + graceSeconds + 3) * 1_000);
  expect(ran).toMatchObject({
    status_reason: 'cancelled',
    error_message: 'The run was cancelled by somebody.',
  });
  await expectNoContainer(runId);
});

/** Begins a run that prints numbered lines for minutes, and waits for the first ones. */
async function counting(): Promise<string> {
  const runId = await begin(
    system,
    project,
    `dbt run --select counting --vars '{"lines": 600, "pause": 0.2}'`,
  );
  await until(
    'the run prints',
    () => logOf(system, runId),
    (log) => log.includes('line 2 '),
  );
  return runId;
}

function cancel(runId: string) {
  return system.call('POST', `/api/v1/runs/${runId}/cancel`);
}

async function kill(process: TestProcess): Promise<void> {
  process.signal('SIGKILL');
  await process.ended;
}

async function expectNoContainer(runId: string): Promise<void> {
  const filters = { label: [`dctl.run_id=${runId}`] };
  await until(
    'the container is gone',
    () => system.docker.listContainers({ all: true, filters }),
    ({ length }) => length === 0,
  );
}
