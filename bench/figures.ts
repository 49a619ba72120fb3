/** What was measured, ready for people: a heading, a table, and sentences about it. */
export interface Report {
  title: string;
  rows: Record<string, string>[];
  notes: string[];
  /** The single measurements, for `results.json`. */
  samples: Record<string, number[]>;
}

/** The value below which `share` (0 to 1) of the samples lie. */
export function quantile(samples: number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (value === undefined) throw new Error('there is nothing to take a quantile of');
  return value;
}

export function median(samples: number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const upper = Math.floor(sorted.length / 2);
  const middle = sorted.slice(sorted.length % 2 === 0 ? upper - 1 : upper, upper + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

/** Median, least and most of the samples, as cells of a table. */
export function spread(samples: number[], write: (value: number) => string): Record<string, string> {
  return {
    median: write(median(samples)),
    min: write(Math.min(...samples)),
    max: write(Math.max(...samples)),
  };
}

export const milliseconds = (value: number) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
export const megabytes = (value: number) => `${value.toFixed(0)} MB`;
export const times = (value: number) => `${value.toFixed(2)}x`;

export function print({ title, rows, notes }: Report): void {
  console.log(`\n${title}`);
  const columns = Object.keys(rows[0] ?? {});
  const widths = columns.map((name) => Math.max(name.length, ...rows.map((row) => (row[name] ?? '').length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, index) =>
        index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join('   ');
  console.log(`  ${line(columns.map((name, index) => (index === 0 ? '' : name)))}`);
  for (const row of rows) console.log(`  ${line(columns.map((name) => row[name] ?? ''))}`);
  for (const note of notes) console.log(`  ${note}`);
}
