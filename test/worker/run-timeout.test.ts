import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deployProject, ended } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { begin, deployProbe, logOf } from './probe.ts';

const graceSeconds = 3;
/** Long enough for dbt to be at work by then on a busy machine. */
const timeoutSeconds = 40;

let system: System;
let interruptible: string;
let stubborn: string;

beforeAll(async () => {
  system = await startSystem({ environment: { DCTL_CANCEL_GRACE_SECONDS: String(graceSeconds) } });
  const [example, probe] = await Promise.all([deployProject(system), deployProbe(system)]);
  const timeout = { timeout_seconds: timeoutSeconds };
  interruptible = await begin(system, example, `dbt build --vars '{"slow_seconds": 300}'`, timeout);
  stubborn = await begin(system, probe, 'dbt run --select stubborn', timeout);
});
afterAll(() => system.stop());

test('a run at its timeout is interrupted first, so that dbt cancels what runs in the warehouse', async () => {
  const ran = await ended(system, interruptible);
  expect(ran).toMatchObject({ status: 'error', status_reason: 'timed_out' });
  expect(ran.error_message).toContain(`${timeoutSeconds} s`);
  expect(await logOf(system, ran.id)).toMatch(/CANCEL/i);
  expect(signalsSent(ran.id)).toEqual(['SIGINT']);
  await expectNoContainer(ran.id);
});

test('a run that takes no notice of the interrupt is killed after the grace', async () => {
  const ran = await ended(system, stubborn);
  expect(ran).toMatchObject({ status: 'error', status_reason: 'timed_out' });
  expect(await logOf(system, ran.id)).toContain('going on and on');
  expect(signalsSent(ran.id)).toEqual(['SIGINT', 'SIGKILL']);
  expect(ran.duration_seconds).toBeGreaterThanOrEqual(timeoutSeconds + graceSeconds);
  await expectNoContainer(ran.id);
});

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
