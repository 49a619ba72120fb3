import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  eventOf,
  finalStatuses,
  isFinal,
  nodeOutcome,
  runStatuses,
  statusReasons,
  verdictOn,
  type NodeCounts,
  type Outcome,
} from '../../src/runs/status.ts';

const ok: Outcome = { kind: 'exited', exitCode: 0, error: null };
const failures: Outcome = { kind: 'exited', exitCode: 1, error: null };
const crash: Outcome = { kind: 'exited', exitCode: 2, error: 'Compilation Error in model a' };

describe('when dbt came to its own end, its nodes decide', () => {
  test.each([
    // outcome, succeeded, failed, skipped, status
    ['exit 0, all well', ok, 3, 0, 0, 'success'],
    ['exit 0, nothing selected', ok, 0, 0, 0, 'success'],
    ['exit 0, some skipped without a failure', ok, 2, 0, 1, 'success'],
    ['exit 0, yet a node failed, others not', ok, 2, 1, 0, 'partial'],
    ['exit 0, yet the only node failed', ok, 0, 1, 0, 'failed'],
    ['exit 1, some failed', failures, 2, 1, 1, 'partial'],
    ['exit 1, all failed', failures, 0, 3, 0, 'failed'],
    ['exit 1, one failed and the rest skipped', failures, 0, 1, 5, 'failed'],
    ['exit 1, no node at all', failures, 0, 0, 0, 'failed'],
    ['exit 2, before any node', crash, 0, 0, 0, 'failed'],
    ['exit 2, after some nodes', crash, 2, 0, 0, 'partial'],
  ])('%s', (_what, outcome, succeeded, failed, skipped, status) => {
    expect(verdictOn(outcome, { succeeded, failed, skipped }, null)).toMatchObject({
      status,
      statusReason: null,
    });
  });
});

test.each<[Outcome, string]>([
  [{ kind: 'timed_out', afterSeconds: 90 }, 'timed_out'],
  [{ kind: 'out_of_memory', limitMb: 256, exitCode: 137 }, 'out_of_memory'],
  [{ kind: 'killed', exitCode: 137 }, 'killed'],
  [{ kind: 'could_not_start', reason: 'image_not_found', why: 'The image x is missing.' }, 'image_not_found'],
  [{ kind: 'could_not_start', reason: 'runtime_unavailable', why: 'No engine.' }, 'runtime_unavailable'],
  [{ kind: 'could_not_start', reason: 'could_not_start', why: 'No space left.' }, 'could_not_start'],
  [{ kind: 'container_lost' }, 'container_lost'],
  [{ kind: 'gave_up', claims: 20 }, 'gave_up'],
])('an execution without an end of its own is error, whatever its nodes say: %j', (outcome, reason) => {
  for (const nodes of [counts(0, 0, 0), counts(5, 0, 0), counts(5, 2, 1)]) {
    const verdict = verdictOn(outcome, nodes, 'model.a: x');
    expect(verdict).toMatchObject({ status: 'error', statusReason: reason });
    expect(verdict.errorMessage).toMatch(/^[A-Zd].*\.$/);
  }
});

test('a message holds the figure that matters', () => {
  const nodes = counts(0, 0, 0);
  expect(verdictOn({ kind: 'timed_out', afterSeconds: 90 }, nodes, null).errorMessage).toContain('90 s');
  const outOfMemory: Outcome = { kind: 'out_of_memory', limitMb: 256, exitCode: 137 };
  expect(verdictOn(outOfMemory, nodes, null).errorMessage).toContain('256 MB');
  expect(verdictOn({ kind: 'killed', exitCode: 143 }, nodes, null).errorMessage).toContain('143');
  expect(verdictOn({ kind: 'gave_up', claims: 20 }, nodes, null).errorMessage).toContain('20 times');
  expect(verdictOn(crash, nodes, null).errorMessage).toBe('Compilation Error in model a');
  expect(verdictOn(failures, counts(2, 1, 4), 'model.a: no such column').errorMessage).toBe(
    '1 of 7 nodes failed, 4 skipped: model.a: no such column',
  );
});

test('every outcome has a known status; success alone has no message, error alone has a reason', () => {
  const exits = fc.record({
    kind: fc.constant('exited' as const),
    exitCode: fc.integer({ min: 0, max: 255 }),
    error: fc.option(fc.string()),
  });
  const nodes = fc.record({ succeeded: fc.nat(20), failed: fc.nat(20), skipped: fc.nat(20) });
  fc.assert(
    fc.property(exits, nodes, (outcome, each) => {
      const { status, statusReason, errorMessage } = verdictOn(outcome, each, null);
      expect(['success', 'partial', 'failed']).toContain(status);
      expect(statusReason).toBeNull();
      expect(status === 'success').toBe(outcome.exitCode === 0 && each.failed === 0);
      expect(status === 'success').toBe(errorMessage === null);
      if (status === 'partial') expect(each.succeeded).toBeGreaterThan(0);
    }),
  );
});

test('exactly the last four statuses are final, and each is told by one event', () => {
  expect(runStatuses.filter(isFinal)).toEqual([...finalStatuses]);
  expect(runStatuses).toEqual(['queued', 'running', 'success', 'partial', 'failed', 'error']);
  expect(finalStatuses.map(eventOf)).toEqual(['job.completed', 'job.partial', 'job.failed', 'job.failed']);
  expect(new Set(statusReasons).size).toBe(statusReasons.length);
});

test.each([
  ['success', 'succeeded'],
  ['pass', 'succeeded'],
  ['warn', 'succeeded'],
  ['no-op', 'succeeded'],
  ['reused', 'succeeded'],
  ['skipped', 'skipped'],
  ['started', 'running'],
  ['error', 'failed'],
  ['fail', 'failed'],
  ['runtime error', 'failed'],
  ['partial success', 'failed'],
  ['a word of a later dbt', 'failed'],
])('a node that dbt calls "%s" counts as %s', (status, outcome) => {
  expect(nodeOutcome(status)).toBe(outcome);
});

function counts(succeeded: number, failed: number, skipped: number): NodeCounts {
  return { succeeded, failed, skipped };
}
