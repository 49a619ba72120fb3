import type { Aim, Figure, Line, Spread, Unit } from './figures.ts';

/** One row of the table as people read it. */
export interface Row {
  what: string;
  dctl: string;
  'compared with': string;
  ratio: string;
  aim: string;
  met: string;
}

/** How each figure is called where it is not the median. */
const names: Record<Figure, string> = {
  min: 'least',
  p10: 'p10',
  median: '',
  p90: 'p90',
  p95: 'p95',
  max: 'most',
};

export function rowOf({ what, against, unit, ours, theirs, ratio, aim, met }: Line): Row {
  const figure = aim?.figure ?? 'median';
  return {
    what,
    dctl: cell(ours, theirs === null ? figure : 'median', unit),
    'compared with': theirs === null ? '' : `${against}: ${cell(theirs, 'median', unit)}`,
    ratio: ratio === null ? '' : cell(ratio, figure, undefined),
    aim: aim === null ? '' : aimText(aim, ratio === null ? unit : undefined),
    met: met === null ? '' : met ? 'yes' : 'no',
  };
}

/** The rows as text for a terminal. */
export function plainTable(rows: Row[]): string {
  const columns = ['what', 'dctl', 'compared with', 'ratio', 'aim', 'met'] as const;
  const widths = columns.map((name) => Math.max(name.length, ...rows.map((row) => row[name].length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((text, index) => text.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(columns), ...rows.map((row) => line(columns.map((name) => row[name])))].join('\n');
}

/** The rows as a table in Markdown. */
export function markdownTable(rows: Row[], columns: readonly (keyof Row)[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((name) => row[name]))),
  ].join('\n');
}

/** The figure that counts, then the range: `31 ms (28 to 45)`. A single measurement has none. */
function cell(spread: Spread, figure: Figure, unit: Unit | undefined): string {
  const value = `${names[figure]} ${write(spread[figure])}${unit === undefined ? '' : ` ${unit}`}`.trim();
  if (spread.count === 1) return value;
  const rest =
    figure === 'median' ? `${write(spread.min)} to ${write(spread.max)}` : `median ${write(spread.median)}`;
  return `${value} (${rest})`;
}

function aimText({ figure, atMost, atLeast }: Aim, unit: Unit | undefined): string {
  const limit = atMost === undefined ? `>= ${atLeast}` : `<= ${atMost}`;
  return `${figure === 'median' ? '' : `${names[figure]} `}${limit}${unit === undefined ? '' : ` ${unit}`}`;
}

/** Three digits that count, and never more than three behind the point. */
function write(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  if (Math.abs(value) >= 10) return value.toFixed(1);
  return value.toFixed(Math.abs(value) >= 1 ? 2 : 3);
}
