import { describe, expect, test } from '@jest/globals';
import { viewSteps } from '../../src/runs/steps.ts';

const start = new Date('2026-01-01T00:00:00Z');
const end = new Date('2026-01-01T00:01:00Z');
const settings = {
  steps: ['dbt seed', 'dbt run', 'dbt test'].map((command) => ({ command, argv: [] })),
};
const run = (status: string, errorMessage: string | null = null) => ({
  status,
  errorMessage,
  finishedAt: ['queued', 'running'].includes(status) ? null : end,
  settings,
});
const step = (number: number, status: string, exitCode: number | null = null) => ({
  number,
  status,
  exitCode,
  errorMessage: exitCode === 2 ? 'dbt was interrupted' : null,
  startedAt: start,
  finishedAt: exitCode === null ? null : start,
});

describe('the status of each step', () => {
  test.each([
    ['of a run that waits', run('queued'), [], ['queued', 'queued', 'queued']],
    [
      'of a run in its second',
      run('running'),
      [step(1, 'success', 0), step(2, 'running')],
      ['success', 'running', 'queued'],
    ],
    [
      'of a run whose second failed',
      run('partial'),
      [step(1, 'success', 0), step(2, 'failed', 1)],
      ['success', 'failed', 'skipped'],
    ],
    [
      'of a run killed in its second',
      run('error'),
      [step(1, 'success', 0), step(2, 'running')],
      ['success', 'error', 'skipped'],
    ],
    [
      'of a run interrupted in its second',
      run('error'),
      [step(1, 'success', 0), step(2, 'failed', 2)],
      ['success', 'error', 'skipped'],
    ],
    ['of a run that could not be started', run('error'), [], ['skipped', 'skipped', 'skipped']],
    [
      'of a run whose first printed the header of its second',
      run('failed'),
      [step(1, 'failed', 1), { ...step(2, 'running'), startedAt: null }],
      ['failed', 'skipped', 'skipped'],
    ],
  ])('%s', (_what, ran, stored, statuses) => {
    expect(viewSteps(ran, stored, []).map(({ status }) => status)).toEqual(statuses);
  });
});

test('a step that was cut short ended with its run, and for the same reason', () => {
  const [cut] = viewSteps(run('error', 'The run was ended.'), [step(1, 'running')], []);
  expect(cut).toMatchObject({ error_message: 'The run was ended.', end_time: end.toISOString() });
});

test('a step that was interrupted keeps what dbt said of it', () => {
  const [interrupted] = viewSteps(run('error', 'The run was ended.'), [step(1, 'failed', 2)], []);
  expect(interrupted).toMatchObject({
    exit_code: 2,
    error_message: 'dbt was interrupted',
    end_time: start.toISOString(),
  });
});

test('the nodes of a step are counted for it alone', () => {
  const counts = [
    { step: 1, status: 'success', count: 2 },
    { step: 2, status: 'error', count: 1 },
    { step: 2, status: 'skipped', count: 3 },
  ];
  expect(viewSteps(run('running'), [], counts)).toMatchObject([
    { nodes_succeeded: 2, nodes_failed: 0, nodes_skipped: 0 },
    { nodes_succeeded: 0, nodes_failed: 1, nodes_skipped: 3 },
    { nodes_succeeded: 0, nodes_failed: 0, nodes_skipped: 0 },
  ]);
});
