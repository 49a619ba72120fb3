import type { Style } from './output.ts';
import { plain } from './plain.ts';

export type Cell = string | number | null | { text: string; style: Style };

const gap = '  ';
/** Of a column that gives way. */
const narrowest = 14;
/** Cut in two it would be of no use: somebody copies it from the table. */
const id = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/**
 * Rows below heads, each column as wide as its widest cell. Where the terminal is narrow, the columns at the end, which
 * tell least, are left out until the others have some room; then the widest text that is no id gives way.
 */
export function tableLines(
  heads: string[],
  rows: Cell[][],
  { columns, paint }: { columns: number; paint: (style: Style, text: string) => string },
): string[] {
  const texts = rows.map((row) => row.map((cell) => plain(textOf(cell))));
  const widths = widthsFor(heads, texts, columns);
  const lineOf = (cells: string[], style: (text: string, column: number) => string) =>
    widths
      .map((width, column) => style(fitted(cells[column] ?? '', width, column === widths.length - 1), column))
      .join(gap)
      .trimEnd();
  return [
    lineOf(heads, (text) => paint('dim', text)),
    ...texts.map((row, index) =>
      lineOf(row, (text, column) => {
        const cell = rows[index]![column];
        return typeof cell === 'object' && cell !== null ? paint(cell.style, text) : text;
      }),
    ),
  ];
}

/** Of the columns that are shown. */
function widthsFor(heads: string[], texts: string[][], columns: number): number[] {
  const widths = heads.map((head, column) =>
    Math.max(lengthOf(head), ...texts.map((row) => lengthOf(row[column] ?? ''))),
  );
  const leasts = widths.map((width, column) =>
    texts.some((row) => id.test(row[column] ?? '')) ? width : Math.min(width, narrowest),
  );
  while (totalOf(leasts) > columns && leasts.length > 1) leasts.pop();
  const shown = widths.slice(0, leasts.length);
  const spare = () => shown.map((width, column) => (width > leasts[column]! ? width : 0));
  for (let over = totalOf(shown) - columns; over > 0; over -= 1) {
    const widest = Math.max(...spare());
    if (widest === 0) break;
    shown[spare().indexOf(widest)]! -= 1;
  }
  return shown;
}

function textOf(cell: Cell): string {
  if (cell === null) return '';
  return typeof cell === 'object' ? cell.text : String(cell);
}

function totalOf(widths: number[]): number {
  return widths.reduce((sum, width) => sum + width + gap.length, -gap.length);
}

export function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** As much of a text as there is room for. */
export function cut(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length > width ? `${characters.slice(0, Math.max(0, width - 1)).join('')}…` : text;
}

function fitted(text: string, width: number, isLast: boolean): string {
  const shown = cut(text, width);
  return isLast ? shown : shown + ' '.repeat(width - lengthOf(shown));
}
