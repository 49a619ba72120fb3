// `npm run bench`: what dctl costs, next to the plain way of doing the same. See bench/README.md.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureDocker } from '../scripts/setup/docker.ts';
import { ensurePostgres } from '../scripts/setup/postgres.ts';
import { runCommand } from '../scripts/setup/processes.ts';
import { ensureRunnerImage } from '../scripts/setup/runner-image.ts';
import { measureCold } from './cold.ts';
import { print, type Report } from './figures.ts';
import { measureMemory } from './memory.ts';
import type { Bench } from './system.ts';
import { measureTrigger } from './trigger.ts';

const usage = `Usage: npm run bench [-- --only cold|trigger|memory] [--pairs N] [--rounds N]

  --only    measure one thing; everything when left out
  --pairs   how often a cold run is measured each way (10)
  --rounds  how many rounds of triggers are sent each way (10)`;

const root = join(import.meta.dirname, '..');
const home = join(root, '.dctl', 'bench');
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
  console.error(error instanceof Error ? error.message : error);
  return stop(1);
});

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      pairs: { type: 'string', default: '10' },
      rounds: { type: 'string', default: '10' },
      help: { type: 'boolean', default: false },
    },
  });
  const [pairs, rounds] = [Number(values.pairs), Number(values.rounds)];
  const measurements: Record<string, (bench: Bench) => Promise<Report>> = {
    cold: (bench) => measureCold(bench, pairs),
    trigger: (bench) => measureTrigger(bench, rounds),
    memory: measureMemory,
  };
  const chosen = values.only === undefined ? Object.keys(measurements) : [values.only];
  const isUnderstood =
    [pairs, rounds].every((count) => Number.isInteger(count) && count > 0) &&
    chosen.every((name) => Object.hasOwn(measurements, name));
  if (values.help || !isUnderstood) {
    console.log(usage);
    return values.help ? 0 : 2;
  }

  const machine = await describeMachine();
  console.log(machine);
  const bench = await setUp();
  const reports: Record<string, Report> = {};
  for (const name of chosen) {
    const alreadyThere = toUndo.length;
    const report = await measurements[name]!(bench);
    reports[name] = report;
    print(report);
    await undoDownTo(alreadyThere);
  }
  const results = join(home, 'results.json');
  writeFileSync(
    results,
    `${JSON.stringify({ at: new Date(), machine, loadavg: loadavg(), reports }, null, 2)}\n`,
  );
  console.log(`\nEvery single sample is in ${results}.`);
  return 0;
}

async function setUp(): Promise<Bench> {
  const logFolder = join(home, 'logs');
  rmSync(logFolder, { recursive: true, force: true });
  mkdirSync(logFolder, { recursive: true });
  // Measured on a server of its own, never on one that others use.
  delete process.env['DATABASE_URL'];
  delete process.env['REDIS_URL'];
  const say = (line: string) => console.log(`  ${line}`);
  const docker = await ensureDocker({ log: say, logFile: join(logFolder, 'dockerd.log') });
  toUndo.push(() => docker.stop());
  const postgres = await ensurePostgres({ directory: join(home, 'postgres'), log: say });
  toUndo.push(() => postgres.stop());
  const image = await ensureRunnerImage({ log: say });
  return { postgresUrl: postgres.url, image, logFolder, atEnd: (undo) => void toUndo.push(undo), say };
}

async function describeMachine(): Promise<string> {
  const docker = await runCommand('docker', ['version', '--format', '{{.Server.Version}}']).catch(
    () => 'none',
  );
  const [first] = cpus();
  const load = loadavg()[0]?.toFixed(1);
  return `${cpus().length} x ${first?.model ?? arch()}, load ${load}, Node ${process.version}, Docker ${docker.trim()}`;
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
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    });
  }
}
