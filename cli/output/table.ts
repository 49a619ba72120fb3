import type { Style } from './output.ts';
import { plain } from './plain.ts';

export type Cell = string | number | null | { text: string; style: Style };

const gap = '  ';
const narrowest = 12;

/** Rows below heads, each column as wide as its widest cell. The widest text gives way where the terminal is narrow. */
export function tableLines(
  heads: string[],
  rows: Cell[][],
  { columns, paint }: { columns: number; paint: (style: Style, text: string) => string },
): string[] {
  const texts = rows.map((row) => row.map((cell) => plain(textOf(cell))));
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...texts.map((row) => lengthOf(row[column] ?? ''))),
  );
  for (let over = totalOf(widths) - columns; over > 0;) {
    const widest = widths.indexOf(Math.max(...widths));
    const less = Math.min(over, widths[widest]! - narrowest);
    if (less <= 0) break;
    widths[widest]! -= less;
    over -= less;
  }
  const lineOf = (cells: string[], style: (text: string, column: number) => string) =>
    cells
      .map((text, column) => style(fitted(text, widths[column]!, column === cells.length - 1), column))
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

function textOf(cell: Cell): string {
  if (cell === null) return '';
  return typeof cell === 'object' ? cell.text : String(cell);
}

function totalOf(widths: number[]): number {
  return widths.reduce((sum, width) => sum + width + gap.length, -gap.length);
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

function fitted(text: string, width: number, isLast: boolean): string {
  const characters = Array.from(text);
  if (characters.length > width) return `${characters.slice(0, width - 1).join('')}…`;
  return isLast ? text : text + ' '.repeat(width - characters.length);
}
