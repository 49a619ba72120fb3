import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { expectInvariants } from '../support/invariants.ts';
import { deployProject, ended, expectStatus, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { begin, deployProbe, logOf, run } from '../worker/probe.ts';

const graceSeconds = 3;
const memoryMb = 400;
const maxProcesses = 100;
const maxLogBytes = 1024 ** 2;
/** Long enough for dbt to be at work by then on a busy machine. */
const timeoutSeconds = 40;

let system: System;
/** Its models take all they can get. */
let greedy: DeployedProject;
let probe: DeployedProject;
/** They come to their ends while the first of the tests go on. */
let begun: Record<'interruptible' | 'stubborn' | 'main' | 'child' | 'files', string>;

beforeAll(async () => {
  system = await startSystem({
    environment: {
      DCTL_CANCEL_GRACE_SECONDS: String(graceSeconds),
      DCTL_RUN_MEMORY_MB: String(memoryMb),
      DCTL_WORKER_CONCURRENCY: '6',
      DCTL_RUN_PIDS: String(maxProcesses),
      DCTL_MAX_LOG_BYTES: String(maxLogBytes),
    },
  });
  const folder = join(import.meta.dirname, 'greedy');
  let example: DeployedProject;
  [example, probe, greedy] = await Promise.all([
    deployProject(system),
    deployProbe(system),
    deployProject(system, { folder }),
  ]);
  const timeout = { timeout_seconds: timeoutSeconds };
  const eat = (where: string) => `dbt run --select memory --vars '{"where": "${where}"}'`;
  const interruptible = await begin(system, example, `dbt build --vars '{"slow_seconds": 300}'`, timeout);
  const stubborn = await begin(system, probe, 'dbt run --select stubborn', timeout);
  // Their time runs: the others begin once dbt is at work in both.
  await until(
    'it goes on',
    () => logOf(system, stubborn),
    (log) => log.includes('going on and on'),
  );
  await until(
    'a node is done',
    async () => (await system.call('GET', `/api/v1/runs/${interruptible}`)).body.nodes_done,
    (done) => done > 0,
  );
  begun = {
    interruptible,
    stubborn,
    main: await begin(system, greedy, eat('main')),
    child: await begin(system, greedy, eat('child')),
    files: await begin(system, greedy, 'dbt run --select files'),
  };
});
afterAll(async () => {
  await expectInvariants(system);
  await system.stop();
});

// F19
describe('a run that takes more memory than it may', () => {
  test.each([
    ['in its main process', 'main', 137],
    ['in a child that dbt survives', 'child', 1],
  ] as const)(
    '%s is error, out_of_memory, with the limit and an exit code',
    async (_where, where, exitCode) => {
      const ran = await ended(system, begun[where]);
      expect(ran).toMatchObject({
        status: 'error',
        status_reason: 'out_of_memory',
        error_message: expect.stringContaining(`${memoryMb} MB`),
        exit_code: exitCode,
      });
    },
  );
});

// F21
test('a run at its timeout is interrupted first, so that dbt cancels what runs in the warehouse', async () => {
  const ran = await ended(system, begun.interruptible);
  expect(ran).toMatchObject({ status: 'error', status_reason: 'timed_out' });
  expect(ran.error_message).toContain(`${timeoutSeconds} s`);
  expect(await logOf(system, ran.id)).toMatch(/CANCEL/i);
  expect(signalsSent(ran.id)).toEqual(['SIGINT']);
  await expectNoContainer(ran.id);
});

test('a run that takes no notice of the interrupt is killed after the grace', async () => {
  const ran = await ended(system, begun.stubborn);
  expect(ran).toMatchObject({ status: 'error', status_reason: 'timed_out' });
  expect(await logOf(system, ran.id)).toContain('going on and on');
  expect(signalsSent(ran.id)).toEqual(['SIGINT', 'SIGKILL']);
  expect(ran.duration_seconds).toBeGreaterThanOrEqual(timeoutSeconds + graceSeconds);
  await expectNoContainer(ran.id);
});

// F22
test('a run that fills its temporary files fails and says why, and the next one is well', async () => {
  const ran = await ended(system, begun.files);
  expect(ran.status).toBe('failed');
  expect(await logOf(system, ran.id)).toContain('No space left on device');
  expect(await run(system, probe, 'dbt run-operation say')).toMatchObject({ status: 'success' });
});

// F20
test('a fork bomb that burns processors gets its share of them and no more, beside another run, until it is cancelled', async () => {
  const cpus = 0.5;
  const environment = `/api/v1/projects/${greedy.projectId}/environments/${greedy.environmentId}`;
  await expectStatus(200, system.call('PATCH', environment, { cpus }));
  const bomb = await begin(system, greedy, 'dbt run --select processes', { timeout_seconds: 300 });
  await expectStatus(200, system.call('PATCH', environment, { cpus: null }));
  await until(
    'it burns',
    () => logOf(system, bomb),
    (log) => log.includes('all processors are mine'),
  );
  const before = await usageOf(bomb);
  const beside = await run(system, probe, 'dbt run-operation say');
  const after = await usageOf(bomb);

  expect(beside).toMatchObject({ status: 'success' });
  const share = (after.cpuMs - before.cpuMs) / (after.at - before.at);
  console.info(`${after.processes} processes had ${share.toFixed(2)} of a processor`);
  expect(share).toBeLessThan(cpus * 1.2);
  expect(after.processes).toBeGreaterThan(maxProcesses / 2);
  expect(after.processes).toBeLessThanOrEqual(maxProcesses);
  await expectStatus(200, system.call('POST', `/api/v1/runs/${bomb}/cancel`));
  expect(await ended(system, bomb)).toMatchObject({ status: 'error', status_reason: 'cancelled' });
  await expectNoContainer(bomb);
});

// F23
test('of a gigabyte of log no more is stored than may be, and the worker hardly grows', async () => {
  const { pid } = system.workers[0]!;
  const before = await residentMegabytes(pid);
  let most = before;
  const watching = setInterval(() => {
    void residentMegabytes(pid).then((now) => (most = Math.max(most, now)));
  }, 100);
  const ran = await run(system, greedy, `dbt run --select flood --vars '{"megabytes": 1024}'`);
  clearInterval(watching);
  console.info(`the worker grew by ${(most - before).toFixed(1)} MB in ${ran.duration_seconds} s`);

  expect(ran).toMatchObject({ status: 'success', log_truncated: true });
  const log = await logOf(system, ran.id);
  expect(log.length).toBeLessThan(maxLogBytes + 70 * 1024);
  expect(log).toMatch(/\n\[dctl\] the log is longer than 1\.0 MiB: \d{10} bytes are left out here\n/);
  expect(most - before).toBeLessThan(50);
});

test('after all of that both processes are the ones that were started', () => {
  expect(system.workers.map(({ child }) => child.exitCode)).toEqual([null]);
  expect(system.api.child.exitCode).toBeNull();
});

/** Of a run's container, by the engine's own measure. */
async function usageOf(runId: string): Promise<{ cpuMs: number; at: number; processes: number }> {
  const container = system.docker.getContainer(`dctl-run-${runId}`);
  const {
    read,
    cpu_stats: cpu,
    pids_stats: pids,
  } = await container.stats({ stream: false, 'one-shot': true });
  return { cpuMs: cpu.cpu_usage.total_usage / 1e6, at: Date.parse(read), processes: pids?.current ?? 0 };
}

/** What the worker says it sent, in order. */
function signalsSent(runId: string): unknown[] {
  return system.workers[0]!.lines.filter(({ run, signal }) => run === runId && signal).map(
    ({ signal }) => signal,
  );
}

/** The worker removes it just after it has recorded the run's end. */
async function expectNoContainer(runId: string): Promise<void> {
  const container = system.docker.getContainer(`dctl-run-${runId}`);
  await until(
    'the container is gone',
    () => container.inspect().catch(() => null),
    (found) => found === null,
  );
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
