import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ended, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { begin, deployProbe, logOf, run } from './probe.ts';

const megabyte = 1024 ** 2;
const maxLogBytes = megabyte;

let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ environment: { DCTL_MAX_LOG_BYTES: String(maxLogBytes) } });
  project = await deployProbe(system);
});
afterAll(() => system.stop());

test('50 MB of log pass through a worker that grows by less than 30 MB, and the beginning and the end are kept', async () => {
  // The first run has the worker load and compile what every run needs.
  await run(system, project, printing(1));
  const { pid } = system.workers[0]!;
  const before = await residentBytes(pid);
  let most = before;
  const runId = await begin(system, project, printing(50));
  const watching = setInterval(() => {
    void residentBytes(pid).then((now) => (most = Math.max(most, now)));
  }, 100);
  const ran = await ended(system, runId);
  clearInterval(watching);
  console.info(`the worker grew by ${((most - before) / megabyte).toFixed(1)} MB`);
  expect(most - before).toBeLessThan(30 * megabyte);

  const log = await logOf(system, runId);
  const bytes = Buffer.byteLength(log);
  expect(ran).toMatchObject({ status: 'success', log_truncated: true, log_bytes: bytes });
  expect(bytes).toBeLessThan(maxLogBytes + 70 * 1024);
  const cut = /\n\[dctl\] the log is longer than 1\.0 MiB: (\d+) bytes are left out here\n/.exec(log);
  expect(Number(cut?.[1])).toBeGreaterThan(48 * megabyte);
  expect(log).toContain('Running with dbt');
  expect(
    log
      .slice(cut!.index)
      .split('\n')
      .filter((line) => line.startsWith('abc✓abc✓')).length,
  ).toBeGreaterThan(30);
  expect(log).not.toContain('\ufffd');
});

test('a log below the limit is whole, and says so', async () => {
  const ran = await run(system, project, `dbt run-operation say --args '{"word": "für alle ✓ 日本語 🙂"}'`);
  expect(ran).toMatchObject({ status: 'success', log_truncated: false });
  const log = await logOf(system, ran.id);
  expect(log).not.toContain('[dctl]');
  expect(Buffer.byteLength(log)).toBe(ran.log_bytes);
});

test('a line can be read through the API while the run goes on', async () => {
  const runId = await begin(
    system,
    project,
    `dbt run --select counting --vars '{"lines": 40, "pause": 0.2}'`,
  );
  await until(
    'the first line is there',
    () => logOf(system, runId),
    (log) => /^line 0 ✓$/m.test(log),
  );
  expect((await system.call('GET', `/api/v1/runs/${runId}`)).body.status).toBe('running');
  expect(await logOf(system, runId)).not.toContain('line 39');
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  expect(await logOf(system, runId)).toMatch(/^line 39 ✓$/m);
});

function printing(megabytes: number): string {
  return `dbt run --select flood --vars '${JSON.stringify({ megabytes })}'`;
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
