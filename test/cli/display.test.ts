import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { expect, test } from '@jest/globals';
import type { NodeResult, Run } from '../../client/index.ts';
import { openOutput } from '../../cli/output/output.ts';
import { openDisplay } from '../../cli/runs/display.ts';
import { hasSelectedNothing } from '../../client/phase.ts';
import { until } from '../support/until.ts';

const run = {
  status: 'running',
  start_time: new Date(Date.now() - 65_000).toISOString(),
  nodes_total: 4,
  nodes_done: 2,
} as Run;
const active = { unique_id: 'model.shop.orders\u001b[2J', status: 'started', end_time: null } as NodeResult;

/** Streams that keep what is written: of a terminal with so many columns, or of a file. */
function streams(columns: number | undefined) {
  let written = '';
  const stderr = Object.assign(new PassThrough(), { isTTY: columns !== undefined, columns });
  stderr.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const out = openOutput(
    { stdout: new PassThrough() as unknown as WriteStream, stderr: stderr as unknown as WriteStream },
    false,
  );
  return { out, stderr, written: () => written };
}

test('where there is no terminal, a long node does not make it silent', async () => {
  const { out, written } = streams(undefined);
  const display = openDisplay(out, { withNodes: true, everyMs: 5 });
  display.update(run, [active]);
  await until(
    'it was told twice',
    async () => written(),
    (text) => text.split('running 2/4 1 min 5 s orders').length > 2,
  );
  display.close();
  expect(written()).not.toContain('\u001b');
});

test('the line at the bottom keeps to one line, in a window that is made narrower as well, and goes at the end', () => {
  const { out, stderr, written } = streams(60);
  const display = openDisplay(out, { withNodes: true });
  display.update(run, [active]);
  const line = '⠋ ██████████░░░░░░░░░░ 2/4 1 min 5 s orders?[2J';
  expect(written()).toBe(line);
  // The terminal makes three lines of it.
  stderr.columns = 20;
  display.update(run, [active]);
  expect(written().slice(line.length)).toBe('\r\u001b[2A\u001b[J⠙ ███░░░ 2/4 1 min…');
  display.close();
  expect(written().endsWith('\r\u001b[J')).toBe(true);
});

const before = (stepStatus: string, command = 'dbt build') =>
  ({ ...run, nodes_total: null, nodes_done: 0, steps: [{ command, status: stepStatus }] }) as Run;

test('before its first node it is told what a run does, each once', () => {
  const { out, written } = streams(undefined);
  const display = openDisplay(out, { withNodes: true });
  display.update({ ...before('queued'), status: 'queued' }, []);
  for (const [status, command] of [['queued'], ['running'], ['running'], ['running', 'dbt deps']] as const)
    display.update(before(status, command), []);
  display.update(run, [active]);
  display.close();
  expect(written().split('\n')).toEqual([
    'queued',
    'running, starting the container',
    'running, starting dbt',
    'running, dbt deps',
    '',
  ]);
});

test('a run that selected nothing is told from one that has no nodes to select', () => {
  const ended = (command: string, total: number | null) =>
    ({ status: 'success', nodes_total: total, steps: [{ command, status: 'success' }] }) as Run;
  expect(hasSelectedNothing(ended('dbt build --select nothing', 0))).toBe(true);
  for (const other of [
    ended('dbt build', 3),
    ended('dbt deps', 0),
    ended('dbt run-operation clean', 0),
    ended('sqlmesh run', null),
  ])
    expect(hasSelectedNothing(other)).toBe(false);
});
