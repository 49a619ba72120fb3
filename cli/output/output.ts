import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { plain } from './plain.ts';
import { tableLines, type Cell } from './table.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** What a command says. Results go to stdout, remarks to stderr; with --json, stdout is JSON alone. */
export interface Output {
  readonly isJson: boolean;
  /** Whether remarks are read as they come, in a terminal. */
  readonly isLive: boolean;
  /** The command's result: as JSON where that is asked for, or else shown. */
  answer(value: unknown, show: () => void): void;
  /** A line of the result. */
  say(line?: string): void;
  /** Part of a result that may be long, as it is. Waits while the reader is slower than we are. */
  write(text: string | Uint8Array): Promise<void>;
  /** A value as JSON. */
  sayJson(value: unknown): void;
  /** One of many values, each on a line of its own. */
  sayJsonLine(value: unknown): void;
  /** Text of others is made plain, and cut where a terminal is too narrow for a row. */
  table(heads: string[], rows: Cell[][]): void;
  /** A remark. */
  note(line: string): void;
  /** One line at the bottom of a terminal, drawn over and over; nothing where there is no terminal. */
  redraw(line: string): void;
  paint(style: Style, text: string): string;
  /** What goes to stdout is read in a terminal, which acts on control characters. */
  readonly isTerminal: boolean;
}

export function openOutput(
  { stdout, stderr }: { stdout: WriteStream; stderr: WriteStream },
  isJson: boolean,
): Output {
  let drawn = false;
  const clear = () => {
    if (drawn) stderr.write('\r\u001b[K');
    drawn = false;
  };
  const isTerminal = stdout.isTTY;
  const isLive = stderr.isTTY;
  const write = (stream: WriteStream, line: string) => {
    clear();
    stream.write(`${line}\n`);
  };
  const out: Output = {
    isJson,
    isLive,
    isTerminal,
    answer(value, show) {
      if (isJson) out.sayJson(value);
      else show();
    },
    say: (line = '') => write(stdout, line),
    sayJson: (value) => write(stdout, JSON.stringify(value, null, isTerminal ? 2 : undefined)),
    sayJsonLine: (value) => write(stdout, JSON.stringify(value)),
    async write(text) {
      clear();
      if (!stdout.write(text)) await new Promise((resolve) => stdout.once('drain', resolve));
    },
    table(heads, rows) {
      const columns = isTerminal ? stdout.columns || 80 : Infinity;
      for (const line of tableLines(heads, rows, { columns, paint: out.paint })) out.say(line);
    },
    note: (line) => write(stderr, line),
    redraw(line) {
      if (!isLive) return;
      const columns = (stderr.columns || 80) - 1;
      const shown = plain(line);
      stderr.write(`\r\u001b[K${shown.length > columns ? `${shown.slice(0, columns - 1)}…` : shown}`);
      drawn = line !== '';
    },
    // Where one of the two goes into a file, neither is coloured.
    paint: (style, text) => styleText(style, text, { stream: isTerminal ? stderr : stdout }),
  };
  return out;
}
