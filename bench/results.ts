import { readFileSync, writeFileSync } from 'node:fs';
import type { Line, Report } from './figures.ts';

/** All that was measured on one machine. */
export interface Results {
  machine: Machine;
  parts: Record<string, PartResults>;
}

export interface Machine {
  processor: string;
  cores: number;
  memory_gb: number;
  system: string;
  node: string;
  docker: string;
  postgres: string;
  dbt: string;
  dctl: string;
}

export interface PartResults extends Report {
  measured_at: string;
  /** How long the measurement of this part took. */
  seconds: number;
  /** The machine's load average over a minute, before and after. */
  load: { before: number; after: number };
  /** Why there are no figures. */
  problem: string | null;
}

/** What is in the file, if it comes from this very machine; else nothing yet. Figures of two machines are never mixed. */
export function resultsSoFar(file: string, machine: Machine): Results {
  const results = readResults(file);
  const isSame = results !== undefined && JSON.stringify(results.machine) === JSON.stringify(machine);
  return isSame ? results : { machine, parts: {} };
}

export function readResults(file: string): Results | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Results;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** `order`: the parts' names as they are to stand in the file. */
export function writeResults(file: string, { machine, parts }: Results, order: string[]): void {
  const sorted = order.flatMap((name) => (parts[name] === undefined ? [] : [[name, parts[name]] as const]));
  const results = { machine, parts: Object.fromEntries(sorted) };
  // Arrays of numbers on one line: a sample is not worth one of its own.
  const text = JSON.stringify(results, round, 2).replaceAll(/\[[-\d.e,\s]+\]/g, (numbers) =>
    numbers.replaceAll(/\s+/g, ' '),
  );
  writeFileSync(file, `${text}\n`);
}

export function linesOf(results: Results): Line[] {
  return Object.values(results.parts).flatMap(({ lines }) => lines);
}

/** Microseconds and thousandths: what is beyond is noise. */
function round(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value;
}
