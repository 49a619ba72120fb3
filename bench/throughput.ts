import { runCommand } from '../scripts/setup/processes.ts';
import { openDockerRun } from './docker-run.ts';
import { compare, type Report } from './figures.ts';
import { quiet } from './quiet.ts';
import { exampleFolder, runToEnd, seeSuccess, startSystem, triggerPath, type Bench } from './system.ts';

/** Side by side, on either side. */
const places = 2;
const aim = 0.7;

/** The wall time of many runs, two at a time, each place with a DuckDB file of its own, which one dbt at a time can open. */
export async function measureThroughput(
  bench: Bench,
  { runs, rounds }: { runs: number; rounds: number },
): Promise<Report> {
  const dctl = await throughDctl(bench, runs);
  const xargs = await throughXargs(bench, runs);
  const samples = { dctl: [] as number[], xargs: [] as number[] };
  for (let round = 1; round <= rounds; round += 1) {
    const inTurn = [
      async () => samples.dctl.push(await dctl()),
      async () => samples.xargs.push(await xargs()),
    ];
    for (const measureOne of round % 2 === 1 ? inTurn : inTurn.toReversed()) await measureOne();
    const seconds = [samples.dctl, samples.xargs].map((each) => `${each.at(-1)?.toFixed(1)} s`);
    bench.say(`${runs} runs, ${round} of ${rounds}: dctl ${seconds[0]}, xargs ${seconds[1]}`);
  }
  const line = compare(
    {
      id: 'throughput',
      what: `wall time of ${runs} runs, two at a time, from an empty pool`,
      against: 'xargs -P2 docker run',
      unit: 's',
      aim: { figure: 'median', atMost: aim },
    },
    samples.dctl,
    samples.xargs,
  );
  return {
    lines: [line],
    notes: [
      '`dbt build` of the example project, on either side in two places with a DuckDB file each. The worker has just started, so its pool is empty; what it does to fill it is part of the time.',
    ],
    samples,
  };
}

async function throughDctl(bench: Bench, runs: number): Promise<() => Promise<number>> {
  const system = await startSystem(bench, { environment: { DCTL_WORKER_CONCURRENCY: String(places) } });
  const jobs: string[] = [];
  for (let place = 0; place < places; place += 1) {
    const environment = await system.client.call<{ id: string }>(
      'POST',
      `/api/v1/projects/${system.projectId}/environments`,
      { name: `place-${place}` },
    );
    jobs.push(await system.createJob({ environment_id: environment.id, max_parallel_runs: 1 }));
  }
  const first = await system.startWorker();
  // As the other side's `target/`: what earlier runs leave behind is there.
  for (const jobId of jobs) await runToEnd(system, jobId);
  await quiet(system, first, { warm: 0 });
  await first.stop();

  return async () => {
    const worker = await system.startWorker();
    const startedAt = performance.now();
    const triggers = Array.from({ length: runs }, (_, number) =>
      system.client.call<{ job_run_id: string }>(
        'POST',
        triggerPath(system, jobs[number % places] ?? ''),
        {},
      ),
    );
    for (const { job_run_id: runId } of await Promise.all(triggers)) await seeSuccess(system, runId, 50);
    const took = (performance.now() - startedAt) / 1_000;
    await quiet(system, worker, { warm: 0 });
    await worker.stop();
    return took;
  };
}

async function throughXargs(bench: Bench, runs: number): Promise<() => Promise<number>> {
  const sides = [];
  for (let place = 0; place < places; place += 1) sides.push(await openDockerRun(bench, exampleFolder));
  for (const side of sides) await side.run(['dbt', 'build']);
  const cases = sides.map(({ words }, place) => `${place}) exec ${words.map(quoted).join(' ')} dbt build;;`);
  const one = `case $PLACE in ${cases.join(' ')} esac`;
  const all = `seq ${runs} | xargs -P${places} -n1 --process-slot-var=PLACE sh -c ${quoted(one)} > /dev/null`;
  return async () => {
    const startedAt = performance.now();
    await runCommand('sh', ['-c', all], { timeoutMs: 1_800_000 });
    return (performance.now() - startedAt) / 1_000;
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
