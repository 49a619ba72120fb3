import { setTimeout as sleep } from 'node:timers/promises';
import { readIfThere, type Service } from '../scripts/setup/processes.ts';
import { megabytes, type Report } from './figures.ts';
import { runToEnd, startSystem, triggerPath, type Bench, type System } from './system.ts';

const triggers = 100;
const runs = 10;
const logMegabytes = 50;
/** What a process has just needed is given back a moment later. */
const settleMs = 2_000;

/** Resident memory of the API and the worker: at rest, after some work, and while a large log passes. */
export async function measureMemory(bench: Bench): Promise<Report> {
  const system = await startSystem(bench);
  const quick = await system.createJob({ command: 'dbt parse' });
  // The project writes its log in a hook, which only commands that build something have.
  const loud = await system.createJob({
    command: `dbt seed --vars '{"log_megabytes": ${logMegabytes}}'`,
  });
  const { api } = system;
  const apiIdle = await settledMegabytes(api);
  for (let sent = 0; sent < triggers; sent += 1) {
    await system.client.call('POST', triggerPath(system, quick), {});
  }
  const apiAfter = await settledMegabytes(api);
  // They were for the API: the worker is to find an empty queue.
  await system.pool.query('DELETE FROM runs');

  const worker = await system.startWorker();
  const workerIdle = await settledMegabytes(worker);
  for (let run = 1; run <= runs; run += 1) await runToEnd(system, quick);
  const workerAfter = await settledMegabytes(worker);
  bench.say(`memory: ${triggers} triggers and ${runs} runs are over`);

  const peak = watchPeak(worker);
  const { runId } = await runToEnd(system, loud);
  const workerPeak = peak.stop();
  const workerLast = await settledMegabytes(worker);
  await expectCutLog(system, runId);

  const row = (name: string, value: number, growth: number | undefined) => ({
    name,
    resident: megabytes(value),
    growth: growth === undefined ? '' : megabytes(growth),
  });
  return {
    title: 'Memory: resident size',
    rows: [
      row('API, idle', apiIdle, undefined),
      row(`API, after ${triggers} triggers`, apiAfter, apiAfter - apiIdle),
      row('worker, idle', workerIdle, undefined),
      row(`worker, after ${runs} runs`, workerAfter, workerAfter - workerIdle),
      row(`worker, most during a log of ${logMegabytes} MB`, workerPeak, workerPeak - workerAfter),
      row('worker, afterwards', workerLast, workerLast - workerAfter),
    ],
    notes: [],
    samples: {
      'API MB': [apiIdle, apiAfter],
      'worker MB': [workerIdle, workerAfter, workerPeak, workerLast],
    },
  };
}

/** The log is larger than what is kept of one, so a run that was as loud as it should be has lost a part of it. */
async function expectCutLog({ pool }: System, runId: string): Promise<void> {
  const { rows } = await pool.query('SELECT 1 FROM runs WHERE id = $1 AND log_truncated', [runId]);
  if (rows.length === 0) throw new Error(`run ${runId} was to write ${logMegabytes} MB of log and did not`);
}

async function settledMegabytes(service: Service): Promise<number> {
  await sleep(settleMs);
  return residentMegabytes(service);
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
