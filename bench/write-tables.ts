import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { linesOf, readResults, type Results } from './results.ts';
import { markdownTable, rowOf, type Row } from './table.ts';

const root = join(import.meta.dirname, '..');
const begins = '<!-- Made from bench/results.json by `npm run bench -- --write-docs`. -->';
const ends = '<!-- That was the table. -->';

/** The lines of the README's short table. */
const foremost = ['example-warm', 'thousand-warm', 'example-cold', 'throughput', 'others-airflow'];

/** The documents with what stands between the two marks in them. */
const tables: Record<string, (results: Results) => string> = {
  'docs/performance.md': fullTable,
  'README.md': shortTable,
};

/** Writes what was measured into the documents. */
export async function writeTables(): Promise<void> {
  for (const document of Object.keys(tables)) writeFileSync(join(root, document), await withTable(document));
}

/** What is wrong with the documents as they stand; empty when nothing is. */
export async function tableProblems(): Promise<string[]> {
  const problems: string[] = [];
  for (const document of Object.keys(tables)) {
    if (readFileSync(join(root, document), 'utf8') === (await withTable(document))) continue;
    problems.push(`${document} does not say what bench/results.json says: npm run bench -- --write-docs`);
  }
  return problems;
}

async function withTable(document: string): Promise<string> {
  const results = readResults(join(root, 'bench', 'results.json'));
  const table = results === undefined ? 'Nothing is measured yet.' : tables[document]!(results);
  const text = readFileSync(join(root, document), 'utf8');
  const [before, rest] = text.split(begins);
  const [, after] = rest?.split(ends) ?? [];
  if (before === undefined || after === undefined) throw new Error(`${document} has no place for its table`);
  const whole = [before.trimEnd(), begins, table, ends, after.trimStart()].join('\n\n');
  return format(whole, { ...(await resolveConfig(join(root, document))), filepath: document });
}

function fullTable(results: Results): string {
  const { processor, cores, memory_gb: memory, ...versions } = results.machine;
  const software = Object.entries(versions).map(([name, version]) =>
    name === 'dbt' ? version : `${name} ${version}`,
  );
  const partTexts = Object.entries(results.parts).map(
    ([name, { measured_at: at, load, problem }]) =>
      `${name} ${at.slice(0, 16).replace('T', ' ')} (load ${load.before.toFixed(1)})${problem === null ? '' : `, not measured: ${problem}`}`,
  );
  return [
    markdownTable(linesOf(results).map(rowOf), ['what', 'dctl', 'compared with', 'ratio', 'aim', 'met']),
    `${cores} cores (${processor}), ${memory} GB of memory; ${software.join(', ')}. Measured at (UTC): ${partTexts.join('; ')}.`,
  ].join('\n\n');
}

function shortTable(results: Results): string {
  const lines = linesOf(results);
  const rows = foremost.flatMap((id) => lines.filter((line) => line.id === id)).map(rowOf);
  const columns: (keyof Row)[] = ['what', 'dctl', 'compared with', 'ratio'];
  return `${markdownTable(rows, columns)}\n\nOn ${results.machine.cores} cores; medians and their range.`;
}
