import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { watchCreatedContainers } from '../support/created-containers.ts';
import type { TestProcess } from '../support/process.ts';
import { createJob, ended, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { deployProbe, logOf } from '../worker/probe.ts';

let system: System;
let project: DeployedProject;
let created: Awaited<ReturnType<typeof watchCreatedContainers>>;
let worker: TestProcess;

// The same variables twice: dbt need not parse the project again.
const counting = `dbt run --select counting --vars '{"lines": 25, "pause": 0.2}'`;
const commands = [counting, counting, 'dbt run-operation say'];
const slowMachineMs = 120_000;

beforeAll(async () => {
  const environment = { DCTL_LEASE_SECONDS: '3', DCTL_SWEEP_SECONDS: '1' };
  system = await startSystem({ workers: 0, environment });
  project = await deployProbe(system);
  created = await watchCreatedContainers(system.docker);
});
afterAll(async () => {
  created.close();
  await system.stop();
});

beforeEach(async () => {
  worker = await system.startWorker();
});
afterEach(async () => {
  for (const each of system.workers) each.signal('SIGKILL');
  await Promise.all(system.workers.map((each) => each.ended));
});

test('a run whose worker is killed in its second step is taken over with all its steps', async () => {
  const runId = await beginAndKillAt(/step 2 of 3[^]*line 4 /);
  expect((await system.call('GET', `/api/v1/runs/${runId}`)).body.steps).toMatchObject([
    { status: 'success' },
    { status: 'running' },
    { status: 'queued' },
  ]);
  const partOfFirst = await partOf(runId, 1);

  await system.startWorker();
  await expectWholeRun(runId);
  expect(await partOf(runId, 1)).toBe(partOfFirst);
});

test('a run whose worker is killed in its first step, and whose container goes on to its end alone, has all its steps', async () => {
  const runId = await beginAndKillAt(/line 4 /);
  await until(
    'the container has ended',
    () => system.docker.getContainer(`dctl-run-${runId}`).inspect(),
    ({ State: state }) => state.Status === 'exited',
    slowMachineMs,
  );
  await system.startWorker();
  await expectWholeRun(runId);
});

async function beginAndKillAt(printed: RegExp): Promise<string> {
  const jobId = await createJob(system, project.projectId, { command: undefined, commands });
  const runId = await trigger(system, { ...project, jobId });
  await until(
    `the run has printed ${printed.source}`,
    () => logOf(system, runId),
    (log) => printed.test(log),
    slowMachineMs,
  );
  worker.signal('SIGKILL');
  await worker.ended;
  return runId;
}

async function partOf(runId: string, step: number): Promise<string> {
  return (await system.call('GET', `/api/v1/runs/${runId}/logs?step=${step}`)).text;
}

/** One container, every line once and in its step's part, every node once a step, the files of every step. */
async function expectWholeRun(runId: string): Promise<void> {
  const ran = await ended(system, runId, slowMachineMs);
  expect(ran).toMatchObject({ status: 'success', nodes_total: 3, nodes_succeeded: 3 });
  expect(ran.steps).toMatchObject(
    commands.map((command) => ({ command, status: 'success', exit_code: 0, nodes_succeeded: 1 })),
  );
  expect(created.of(runId)).toHaveLength(1);

  const parts = await Promise.all([1, 2, 3].map((step) => partOf(runId, step)));
  expect(parts.join('')).toBe(await logOf(system, runId));
  for (const [place, lines] of [25, 25, 0].entries()) {
    const part = parts[place]!;
    expect(part.match(/^\[dctl\] .*/gm)).toEqual([`[dctl] step ${place + 1} of 3: ${commands[place]}`]);
    expect(part.startsWith('[dctl]')).toBe(true);
    const numbers = Array.from({ length: lines }, (_, number) => `line ${number} ✓`);
    expect(part.match(/^line \d+ ✓$/gm) ?? []).toEqual(numbers);
  }

  const { body: nodes } = await system.call('GET', `/api/v1/runs/${runId}/nodes`);
  expect(nodes.data).toMatchObject([
    { step: 1, unique_id: 'model.probe.counting', status: 'success' },
    { step: 2, unique_id: 'model.probe.counting', status: 'success' },
    { step: 3, unique_id: 'macro.probe.say', status: 'success' },
  ]);
  for (const step of [1, 2, 3]) {
    const { body } = await system.call('GET', `/api/v1/runs/${runId}/artifacts?step=${step}`);
    expect(body.data).toContainEqual(expect.objectContaining({ path: 'manifest.json', step }));
  }
}
