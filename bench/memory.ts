import { setTimeout as sleep } from 'node:timers/promises';
import { readIfThere, runCommand, type Service } from '../scripts/setup/processes.ts';
import { alone, type Report } from './figures.ts';
import { quiet } from './quiet.ts';
import { installationLabel, runToEnd, startSystem, type Bench, type System } from './system.ts';

const aims = { process: 150, growth: 20, warmContainer: 160 };
/** What the growth is told per. */
const logMegabytes = 100;
const warmUps = 3;
/** What a process has just needed is given back a moment later. */
const settleMs = 3_000;
const looks = 5;

/** Memory of the API and the worker at rest, of the worker while a large log passes, and of a container that waits. */
export async function measureMemory(bench: Bench, loudRuns: number): Promise<Report> {
  const system = await startSystem(bench);
  const quick = await system.createJob({});
  // The project writes its log in a hook, which only commands that build something have.
  const loud = await system.createJob({ command: `dbt seed --vars '{"log_megabytes": ${logMegabytes}}'` });
  const worker = await system.startWorker();
  for (let run = 0; run < warmUps; run += 1) await runToEnd(system, quick);
  await quiet(system, worker, { warm: 1 });
  const containers = await warmMemory(system);
  const api = await residentAtRest(system.api);
  const idle = await residentAtRest(worker);
  bench.say('memory: looked at everything at rest');

  const growth: number[] = [];
  for (let run = 0; run < loudRuns; run += 1) {
    await quiet(system, worker, { warm: 1 });
    const [before] = await residentAtRest(worker);
    const peak = watchPeak(worker);
    const { runId } = await runToEnd(system, loud);
    growth.push(peak.stop() - (before ?? NaN));
    await expectCutLog(system, runId);
    bench.say(`memory: ${logMegabytes} MB of log have passed, ${run + 1} of ${loudRuns}`);
  }

  const atMost = (limit: number) => ({ figure: 'max', atMost: limit }) as const;
  return {
    lines: [
      alone({ id: 'memory-api', what: 'API, at rest', unit: 'MB', aim: atMost(aims.process) }, api),
      alone({ id: 'memory-worker', what: 'worker, at rest', unit: 'MB', aim: atMost(aims.process) }, idle),
      alone(
        {
          id: 'memory-growth',
          what: `worker, growth while ${logMegabytes} MB of log pass`,
          unit: 'MB',
          aim: atMost(aims.growth),
        },
        growth,
      ),
      alone(
        { id: 'memory-warm', what: 'a warm container', unit: 'MB', aim: atMost(aims.warmContainer) },
        containers,
      ),
    ],
    notes: [
      `API and worker: resident size, after ${warmUps} runs. Growth: the most while the run went on, looked at every 20 ms, less the size before. A container: what Docker shows (\`docker stats\`), which is the memory of its control group without the cache of inactive files; MB are 1024 x 1024 bytes throughout.`,
    ],
    samples: { API: api, worker: idle, growth, 'warm containers': containers },
  };
}

/** Of each container that waits. */
async function warmMemory({ pool }: System): Promise<number[]> {
  const label = await installationLabel(pool);
  const filters = ['--filter', `label=${label}`, '--filter', 'label=dctl.warm'];
  const listed = await runCommand('docker', ['ps', '--quiet', ...filters]);
  const ids = listed.split('\n').filter((id) => id !== '');
  const shown = await runCommand('docker', ['stats', '--no-stream', '--format', '{{.MemUsage}}', ...ids]);
  return shown
    .split('\n')
    .filter((line) => line !== '')
    .map(megabytesIn);
}

/** Of Docker's `123.4MiB / 2GiB`. */
function megabytesIn(text: string): number {
  const [, amount, unit = ''] = /^([\d.]+)([KMG]iB) \//.exec(text) ?? [];
  const megabytes = { KiB: 1 / 1_024, MiB: 1, GiB: 1_024 }[unit];
  if (megabytes === undefined) throw new Error(`docker stats says "${text}"`);
  return Number(amount) * megabytes;
}

/** The log is larger than what is kept of one, so a run that was as loud as it should be has lost a part of it. */
async function expectCutLog({ pool }: System, runId: string): Promise<void> {
  const { rows } = await pool.query('SELECT 1 FROM runs WHERE id = $1 AND log_truncated', [runId]);
  if (rows.length === 0) throw new Error(`run ${runId} was to write ${logMegabytes} MB of log and did not`);
}

async function residentAtRest(service: Service): Promise<number[]> {
  await sleep(settleMs);
  const seen: number[] = [];
  for (let look = 0; look < looks; look += 1) {
    seen.push(residentMegabytes(service));
    await sleep(100);
  }
  return seen;
}

function watchPeak(service: Service): { stop(): number } {
  let most = 0;
  const look = () => (most = Math.max(most, residentMegabytes(service)));
  const timer = setInterval(look, 20);
  return {
    stop() {
      clearInterval(timer);
      look();
      return most;
    },
  };
}

/** 0 for a process that has ended. */
function residentMegabytes({ pid }: Service): number {
  const status = readIfThere(`/proc/${pid}/status`) ?? '';
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  return Number(kilobytes ?? 0) / 1_024;
}
