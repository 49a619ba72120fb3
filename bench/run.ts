// `npm run bench`: what dctl costs, next to the plain way of doing the same. See docs/performance.md.
import { mkdirSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parts } from './parts.ts';
import { resultsSoFar, writeResults, type PartResults } from './results.ts';
import { describeMachine, setUp } from './set-up.ts';
import type { Report } from './figures.ts';
import { plainTable, rowOf } from './table.ts';
import { writeTables } from './write-tables.ts';

const usage = `Usage: npm run bench [-- --small] [--only PART,PART] [--write-docs]

  --small       about three minutes, fewer of everything, the slowest parts left out
  --only        these parts; what the others came to before stays in the results
  --write-docs  measure nothing: write the tables of docs/performance.md and README.md

The parts:
${Object.entries(parts)
  .map(([name, { about }]) => `  ${name.padEnd(12)}${about}`)
  .join('\n')}`;

const root = join(import.meta.dirname, '..');
const toUndo: (() => Promise<unknown>)[] = [];
let isStopping = false;

process.chdir(root);
for (const [signal, exitCode] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => (isStopping ? process.exit(exitCode) : void stop(exitCode)));
}
// The launcher is gone without a signal for us: it was killed.
process.once('disconnect', () => void stop(1));
process.channel?.unref();
main().then(stop, (error: unknown) => {
  if (isStopping) return; // what was under way when it was told to stop
  console.error(sentenceOf(error));
  return stop(1);
});

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      small: { type: 'boolean', default: false },
      only: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const chosen = values.only?.split(',') ?? Object.keys(parts);
  const isUnderstood = chosen.every((name) => Object.hasOwn(parts, name));
  if (values.help || !isUnderstood) {
    console.log(usage);
    return values.help ? 0 : 2;
  }
  if (values['write-docs']) {
    await writeTables();
    return 0;
  }
  return measure(chosen, values.small);
}

async function measure(chosen: string[], isSmall: boolean): Promise<number> {
  const say = (line: string) => console.log(`  ${line}`);
  const bench = await setUp((undo) => void toUndo.push(undo), say);
  const machine = await describeMachine(bench);
  console.log(
    Object.entries(machine)
      .map((entry) => entry.join(' '))
      .join(', '),
  );
  // The small form is for a quick look: what it finds is not for the documents.
  const folder = join(root, isSmall ? '.dctl/bench' : 'bench');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, isSmall ? 'small-results.json' : 'results.json');
  const results = isSmall ? { machine, parts: {} } : resultsSoFar(file, machine);

  const measured: PartResults[] = [];
  for (const name of chosen) {
    const part = parts[name]!;
    const work = isSmall ? part.measureSmall : part.measure;
    if (work === null) continue;
    console.log(`\n${name}: ${part.about}`);
    const came = await measureOne(() => work(bench));
    if (isStopping) return 1;
    results.parts[name] = came;
    measured.push(came);
    writeResults(file, results, Object.keys(parts));
  }

  console.log(`\n${plainTable(measured.flatMap(({ lines }) => lines.map(rowOf)))}\n`);
  for (const { problem } of measured) if (problem !== null) console.log(`Not measured: ${problem}`);
  console.log(`Every single measurement is in ${file}.`);
  return measured.some(({ problem }) => problem !== null) ? 1 : 0;
}

/** A part that fails does not keep the others from being measured. */
async function measureOne(work: () => Promise<Report>): Promise<PartResults> {
  const [startedAt, before, alreadyThere] = [new Date(), oneMinuteLoad(), toUndo.length];
  let report: Report = { lines: [], notes: [], samples: {} };
  let problem: string | null = null;
  try {
    report = await work();
  } catch (error) {
    if (!isStopping) console.error(`  ${sentenceOf(error)}`);
    problem = sentenceOf(error);
  }
  const after = oneMinuteLoad();
  if (!isStopping) await undoDownTo(alreadyThere);
  return {
    measured_at: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1_000,
    load: { before, after },
    problem,
    ...report,
  };
}

function oneMinuteLoad(): number {
  return loadavg()[0] ?? 0;
}

async function stop(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  await undoDownTo(0);
  process.exit(exitCode || process.exitCode);
}

async function undoDownTo(count: number): Promise<void> {
  while (toUndo.length > count) {
    await toUndo.pop()!().catch((error: unknown) => {
      console.error(sentenceOf(error));
      process.exitCode = 1;
    });
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
