import { describe, expect, test } from '@jest/globals';
import { ownResults, runResults, type LedgerNode, type LedgerStep } from '../../worker/dbt/run-results.ts';

const now = new Date('2026-04-02T12:01:00Z');
const step: LedgerStep = {
  arguments: { which: 'build', vars: { day: null } },
  invocationId: 'the-invocation',
  programVersion: '1.11.16',
  startedAt: new Date('2026-04-02T12:00:00Z'),
  finishedAt: null,
};
const node = (uniqueId: string, more: Partial<LedgerNode> = {}): LedgerNode => ({
  uniqueId,
  status: 'success',
  durationSeconds: 1.5,
  finishedAt: new Date('2026-04-02T12:00:04.500Z'),
  message: 'OK',
  thread: 'Thread-1',
  failures: null,
  adapterResponse: { _message: 'OK' },
  timing: [{ name: 'execute', started_at: '2026-04-02T12:00:03Z', completed_at: '2026-04-02T12:00:04.5Z' }],
  relationName: '"shop"."main"."a"',
  ...more,
});
const ends = (status: string, message: string | null = null) => {
  const [result] = runResults(step, [node('model.shop.a', { status, message })], { own: null, now })!.results;
  return [result!['status'], result!['message']];
};

describe('without a word of dbt', () => {
  test('the results are all that the ledger has, in the shape of dbt', () => {
    const test = node('test.shop.b', { status: 'fail', failures: 3n, relationName: null });
    expect(runResults(step, [node('model.shop.a'), test], { own: null, now })).toEqual({
      metadata: {
        dbt_schema_version: 'https://schemas.getdbt.com/dbt/run-results/v6.json',
        dbt_version: '1.11.16',
        generated_at: '2026-04-02T12:01:00.000Z',
        invocation_id: 'the-invocation',
        invocation_started_at: '2026-04-02T12:00:00.000Z',
        env: {},
      },
      results: [
        {
          status: 'success',
          timing: node('').timing,
          thread_id: 'Thread-1',
          execution_time: 1.5,
          adapter_response: { _message: 'OK' },
          message: 'OK',
          failures: null,
          unique_id: 'model.shop.a',
          compiled: null,
          compiled_code: null,
          relation_name: '"shop"."main"."a"',
          batch_results: null,
        },
        expect.objectContaining({
          unique_id: 'test.shop.b',
          status: 'fail',
          failures: 3,
          relation_name: null,
        }),
      ],
      elapsed_time: 4.5,
      args: step.arguments,
    });
  });

  test('a node that has no end has one in the words of dbt', () => {
    expect(ends('queued')).toEqual(['skipped', 'The run ended before this node began.']);
    expect(ends('started')).toEqual(['error', 'The run ended while this node was at work.']);
    expect(ends('interrupted')).toEqual(['error', 'The run ended while this node was at work.']);
    expect(ends('skipped', 'The run ended before this node began.')[0]).toBe('skipped');
    expect(ends('partial success', 'kept')).toEqual(['partial success', 'kept']);
  });

  test('what the ledger does not know of a node is empty', () => {
    const nothing = node('model.shop.a', {
      durationSeconds: null,
      finishedAt: null,
      message: null,
      thread: null,
      adapterResponse: null,
      timing: null,
      relationName: null,
    });
    const results = runResults(step, [nothing], { own: null, now })!;
    expect(results['elapsed_time']).toBe(0);
    expect(results.results).toEqual([
      expect.objectContaining({
        timing: [],
        thread_id: '',
        execution_time: 0,
        adapter_response: {},
        message: null,
      }),
    ]);
  });

  test.each([
    ['it is not known how dbt was invoked', null],
    ['its arguments are none', 'build'],
    ['it looked at the freshness of sources, which dbt keeps in another file', { which: 'freshness' }],
  ])('there are no results when %s', (_what, given) => {
    expect(runResults({ ...step, arguments: given }, [node('a')], { own: null, now })).toBeNull();
  });
});

test('what dbt wrote is kept as it is, and gets what it lacks', () => {
  const written = {
    unique_id: 'model.shop.a',
    status: 'success',
    compiled_code: 'select 1',
    batch_results: null,
  };
  const own = ownResults.parse({
    metadata: { invocation_id: 'its own' },
    args: { which: 'run' },
    results: [written],
    elapsed_time: 9,
  });
  const nodes = [node('model.shop.a', { message: 'another' }), node('model.shop.b', { status: 'queued' })];
  expect(runResults({ ...step, arguments: null }, nodes, { own, now })).toEqual({
    ...own,
    results: [written, expect.objectContaining({ unique_id: 'model.shop.b', status: 'skipped' })],
  });
});
