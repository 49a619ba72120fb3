import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProtocolReader, type ShimEvent } from '../../worker/dbt/protocol.ts';

const started = {
  event: 'node_started',
  unique_id: 'model.shop.größe',
  resource_type: 'model',
  thread: 'Thread-1',
};
const nodeFinished = {
  event: 'node_finished',
  unique_id: 'model.shop.orders',
  resource_type: 'model',
  status: 'success',
};
const finished = { event: 'finished', exit_code: 0, error: null };

describe('the events are the same however the bytes are cut', () => {
  const bytes = Buffer.from(
    [started, nodeFinished, finished].map((event) => `${JSON.stringify(event)}\n`).join(''),
  );
  const whole = new ProtocolReader().read(bytes);

  test('in one piece there are all of them', () => {
    expect(whole.map(({ event }) => event)).toEqual(['node_started', 'node_finished', 'finished']);
    expect(whole[0]).toMatchObject({ unique_id: 'model.shop.größe' });
  });

  test('in pieces of any size, also within a character', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
        expect(readInPieces(bytes, sizes)).toEqual(whole);
      }),
    );
  });

  test('a line that has not ended is not an event yet', () => {
    const reader = new ProtocolReader();
    expect(reader.read(Buffer.from(JSON.stringify(finished)))).toEqual([]);
    expect(reader.read(Buffer.from('\n'))).toHaveLength(1);
  });
});

describe('what cannot be understood costs that line only', () => {
  test.each([
    ['no JSON', 'Traceback (most recent call last):'],
    ['half an object', '{"event":"finished","exit_code":'],
    ['an unknown event', '{"event":"added_later","exit_code":0}'],
    ['a missing field', '{"event":"node_finished","unique_id":"model.a"}'],
    ['no object', '17'],
    ['nothing', ''],
    ['an exit code no process has', '{"event":"finished","exit_code":4294967296}'],
    ['a total that is no number', '{"event":"nodes_total","total":"many"}'],
    ['a total beyond any project', '{"event":"nodes_total","total":3000000000}'],
  ])('%s', (_what, line) => {
    expect(read(`${line}\n${JSON.stringify(finished)}\n`).map(({ event }) => event)).toEqual(['finished']);
  });

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (noise) => {
        const events = read(Buffer.concat([noise, Buffer.from(`\n${JSON.stringify(finished)}\n`)]));
        expect(events.at(-1)).toMatchObject(finished);
      }),
    );
  });

  test('a line without an end takes a bounded amount of memory, and the next line counts', () => {
    const reader = new ProtocolReader();
    const before = process.memoryUsage().heapUsed;
    for (let megabytes = 0; megabytes < 200; megabytes += 1) reader.read(Buffer.alloc(1024 ** 2, 'x'));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 1024 ** 2);
    expect(reader.read(Buffer.from(`\n${JSON.stringify(finished)}\n`))).toMatchObject([finished]);
  });
});

describe('no event carries what the database would refuse', () => {
  test('a NUL is left out of a text', () => {
    expect(read(`${JSON.stringify({ ...nodeFinished, message: 'a\0b' })}\n`)).toMatchObject([
      { message: 'ab' },
    ]);
  });

  test('a text that spells an escaped NUL stays as it is', () => {
    const message = 'unsupported Unicode escape sequence: \\u0000 cannot be converted to text';
    expect(read(`${JSON.stringify({ ...nodeFinished, message })}\n`)).toMatchObject([{ message }]);
  });

  test('half of a surrogate pair is replaced', () => {
    expect(read('{"event":"finished","exit_code":2,"error":"a\\ud800b"}\n')).toMatchObject([
      { error: 'a\ufffdb' },
    ]);
  });

  test.each([
    ['a time that is none', 'started_at', 'yesterday'],
    ['a day that is none', 'finished_at', '2026-02-30T00:00:00Z'],
    ['a time after the last year', 'started_at', '9999-12-31T23:59:59-23:00'],
    ['a time before all time', 'finished_at', '0000-01-01T00:00:00Z'],
    ['a count beyond any table', 'rows_affected', 1e30],
    ['a count with a fraction', 'rows_affected', 0.5],
    ['a negative duration', 'duration_seconds', -1],
    ['a duration that is no number', 'duration_seconds', '3 s'],
  ])('%s is unknown, and the node is reported all the same', (_what, field, value) => {
    expect(read(`${JSON.stringify({ ...nodeFinished, [field]: value })}\n`)).toMatchObject([
      { event: 'node_finished', status: 'success', [field]: null },
    ]);
  });

  test('a time is told in UTC, whatever its offset', () => {
    const line = JSON.stringify({ ...nodeFinished, started_at: '2026-01-01T00:00:00+23:00' });
    expect(read(`${line}\n`)).toMatchObject([{ started_at: '2025-12-31T01:00:00.000Z' }]);
  });

  test('a name is cut where an index would refuse it', () => {
    const [event] = read(`${JSON.stringify({ ...nodeFinished, unique_id: 'x'.repeat(9_000) })}\n`);
    expect((event as { unique_id: string }).unique_id.length).toBeLessThanOrEqual(500);
  });

  test('a cut within a character leaves no half of it', () => {
    const name = `${'x'.repeat(499)}😀`;
    expect(read(`${JSON.stringify({ ...nodeFinished, unique_id: name })}\n`)).toMatchObject([
      { unique_id: `${'x'.repeat(499)}\ufffd` },
    ]);
  });
});

describe('what a ledger needs is taken as far as it is sound', () => {
  const invocation = { event: 'invocation', invocation_id: 'x', dbt_version: '1.11.16' };

  test('arguments of any shape that is not deep, without what the database would refuse', () => {
    const given = { which: 'build', vars: { day: null, 'a\0': ['b\0', 1.5, true, { c: '\ud800' }] } };
    expect(read(`${JSON.stringify({ ...invocation, arguments: given })}\n`)).toMatchObject([
      { arguments: { which: 'build', vars: { day: null, a: ['b', 1.5, true, { c: '\ufffd' }] } } },
    ]);
  });

  test.each([
    ['no object', 'build'],
    ['too deep', JSON.parse(`{"a":${'['.repeat(500)}${']'.repeat(500)}}`)],
  ])('arguments that are %s are unknown', (_what, given) => {
    expect(read(`${JSON.stringify({ ...invocation, arguments: given })}\n`)).toMatchObject([
      { event: 'invocation', arguments: null },
    ]);
  });

  test.each([
    ['a timing that is no list', 'timing', {}],
    ['a timing of another shape', 'timing', [{ from: 1 }]],
    ['more timings than there are', 'timing', Array.from({ length: 50 }, () => ({ name: 'compile' }))],
    ['a response that holds more than words and numbers', 'adapter_response', { rows: [1] }],
    ['a response with names without end', 'adapter_response', { ...Array.from({ length: 90 }, () => 1) }],
    ['a count that is none', 'failures', -1],
    ['a relation that is none', 'relation_name', 7],
  ])('%s is unknown, and the node is reported all the same', (_what, field, value) => {
    expect(read(`${JSON.stringify({ ...nodeFinished, [field]: value })}\n`)).toMatchObject([
      { event: 'node_finished', status: 'success', [field]: null },
    ]);
  });

  test('nodes that are to come have an id, a type and maybe a relation', () => {
    const nodes = [
      ['model.shop.a', 'model', 'shop.a'],
      ['test.shop.b', 'test', null],
    ];
    expect(read(`${JSON.stringify({ event: 'nodes_selected', step: 2, nodes })}\n`)).toEqual([
      { event: 'nodes_selected', step: 2, nodes },
    ]);
    expect(read(`${JSON.stringify({ event: 'nodes_selected', nodes: [['a']] })}\n`)).toEqual([]);
  });
});

test('a message is cut at a length of which a page of nodes can hold thousands', () => {
  const [event] = read(`${JSON.stringify({ ...nodeFinished, message: 'x'.repeat(200_000) })}\n`);
  expect((event as { message: string }).message).toHaveLength(16 * 1024);
});

function read(content: string | Buffer): ShimEvent[] {
  return new ProtocolReader().read(Buffer.from(content));
}

function readInPieces(bytes: Buffer, sizes: number[]): ShimEvent[] {
  const reader = new ProtocolReader();
  const events: ShimEvent[] = [];
  for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
    const end = start + sizes[turn % sizes.length]!;
    events.push(...reader.read(bytes.subarray(start, end)));
    start = end;
  }
  return events;
}
