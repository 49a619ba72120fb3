import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { plain, plainLogLine } from './plain.ts';
import { cut, tableLines, type Cell } from './table.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** How a list is shown. `none`: the sentence in place of an empty one. */
export interface Listing<Item> {
  none: string;
  heads: string[];
  row: (item: Item) => Cell[];
}

/** What a command says. Results go to stdout, remarks to stderr; with --json, stdout is JSON alone. */
export interface Output {
  readonly isJson: boolean;
  /** Whether remarks are read as they come, in a terminal. */
  readonly isLive: boolean;
  /** What goes to stdout is read in a terminal, which acts on control characters. */
  readonly isTerminal: boolean;
  /** How wide the terminal is, of results and of remarks; where there is none, no line is too long. */
  readonly columns: number;
  readonly remarkColumns: number;
  /** The command's result: as JSON where that is asked for, or else shown. */
  answer(value: unknown, show: () => void): void;
  /** A list as the command's result. */
  list<Item>(items: Item[], listing: Listing<Item>): void;
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
}

export function openOutput(
  { stdout, stderr }: { stdout: WriteStream; stderr: WriteStream },
  isJson: boolean,
): Output {
  let drawnColumns = 0;
  const clear = () => {
    if (drawnColumns === 0) return;
    // In a window that was made narrower since, the line has become several.
    const above = Math.ceil(drawnColumns / (stderr.columns || drawnColumns)) - 1;
    stderr.write(`\r${above > 0 ? `\u001b[${above}A` : ''}\u001b[J`);
    drawnColumns = 0;
  };
  const isTerminal = stdout.isTTY;
  const isLive = stderr.isTTY;
  const write = (stream: WriteStream, line: string) => {
    clear();
    // Whatever was forgotten further up: nothing that others wrote is acted on here, but colours.
    stream.write(`${stream.isTTY ? line.split('\n').map(plainLogLine).join('\n') : line}\n`);
  };
  const out: Output = {
    isJson,
    isLive,
    isTerminal,
    get columns() {
      return isTerminal ? stdout.columns || 80 : Infinity;
    },
    get remarkColumns() {
      return isLive ? stderr.columns || 80 : Infinity;
    },
    answer(value, show) {
      if (isJson) out.sayJson(value);
      else show();
    },
    list(items, { none, heads, row }) {
      out.answer(items, () => {
        if (items.length === 0) out.say(none);
        else out.table(heads, items.map(row));
      });
    },
    say: (line = '') => write(stdout, line),
    sayJson: (value) => write(stdout, JSON.stringify(value, null, isTerminal ? 2 : undefined)),
    sayJsonLine: (value) => write(stdout, JSON.stringify(value)),
    async write(text) {
      clear();
      if (!stdout.write(text)) await new Promise((resolve) => stdout.once('drain', resolve));
    },
    table(heads, rows) {
      for (const line of tableLines(heads, rows, { columns: out.columns, paint: out.paint })) out.say(line);
    },
    note: (line) => write(stderr, line),
    redraw(line) {
      if (!isLive) return;
      clear();
      const shown = cut(plain(line), out.remarkColumns - 1);
      stderr.write(shown);
      drawnColumns = shown.length;
    },
    // Where one of the two goes into a file, neither is coloured.
    paint: (style, text) => styleText(style, text, { stream: isTerminal ? stderr : stdout }),
  };
  return out;
}
