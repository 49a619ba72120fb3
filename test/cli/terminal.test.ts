import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { expect, test } from '@jest/globals';
import { api } from '../../cli/commands/api.ts';
import { openOutput } from '../../cli/output/output.ts';
import type { Shell } from '../../cli/shell.ts';

/** What would name the window, fill the clipboard and clear the screen. */
const hostile = '\u001b]0;owned\u0007 \u001b]52;c;cm0=\u0007 \u001b[2J \u009b2J \u001b[31mred\u001b[0m';
// eslint-disable-next-line no-control-regex -- these are what is looked for
const acted = /\u001b(?!\[[\d;]*m)|[\u0000-\u0009\u000b-\u001a\u007f-\u009f]/;

function opened(isTTY: boolean, isJson = false) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const as = (stream: PassThrough) =>
    Object.assign(stream, { isTTY, columns: 200 }) as unknown as WriteStream;
  const out = openOutput({ stdout: as(stdout), stderr: as(stderr) }, isJson);
  return { out, shown: () => `${stdout.read() ?? ''}${stderr.read() ?? ''}` };
}

test('a terminal acts on nothing that others wrote, in lines, remarks, tables or JSON, but on colours', () => {
  const { out, shown } = opened(true);
  out.say(`said ${hostile}\nand more`);
  out.note(hostile);
  out.redraw(hostile);
  out.redraw('');
  out.table(['a'], [[hostile]]);
  out.sayJson({ hostile });
  const text = shown().replaceAll('\r\u001b[J', '');
  expect(text).not.toMatch(acted);
  expect(text).toContain('\u001b[31mred');
  expect(text).toContain('\nand more\n');
});

test('what is read by no terminal stays as it is', () => {
  const { out, shown } = opened(false);
  out.say(hostile);
  expect(shown()).toBe(`${hostile}\n`);
});

test('nor does it act on what dctl api fetches', async () => {
  const { out, shown } = opened(true);
  const client = () => ({ open: async () => new Response(`one ${hostile}\ntwo`) });
  const shell = { out, client } as unknown as Shell;
  await api.run(shell, { operation: 'getRunLog', path: [['run_id', 'x']], query: [] });
  expect(shown()).not.toMatch(acted);
});
