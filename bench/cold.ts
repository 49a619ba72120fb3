import { randomBytes } from 'node:crypto';
import { packFolder } from '../scripts/setup/archive.ts';
import { runCommand } from '../scripts/setup/processes.ts';
import { median, milliseconds, spread, times, type Report } from './figures.ts';
import {
  exampleFolder,
  removeContainers,
  removeVolume,
  runToEnd,
  startSystem,
  type Bench,
} from './system.ts';

const aim = 1.2;

/** One way to run `dbt build`. Answers what it cost beyond dbt's own time, in milliseconds. */
type Contender = () => Promise<number>;

/** What a cold run costs beyond dbt's own time, through dctl and through `docker run`, in turns. */
export async function measureCold(bench: Bench, pairs: number): Promise<Report> {
  const contenders: Record<string, Contender> = {
    dctl: await throughDctl(bench),
    'docker run': await throughDockerRun(bench, { keepsTarget: true }),
    'docker run, no target/': await throughDockerRun(bench, { keepsTarget: false }),
  };
  const samples: Record<string, number[]> = {};
  for (let round = 0; round <= pairs; round += 1) {
    const heard: string[] = [];
    for (const [name, run] of Object.entries(contenders)) {
      const overhead = await run();
      heard.push(`${name} ${milliseconds(overhead)}`);
      if (round > 0) (samples[name] ??= []).push(overhead); // the first is to warm up
    }
    bench.say(`cold run ${round === 0 ? 'warm-up' : `${round}/${pairs}`}: ${heard.join(', ')}`);
  }

  const [ours = [], ...others] = Object.values(samples);
  const [plain, fresh] = others.map((theirs) =>
    theirs.map((theirOverhead, index) => ours[index]! / theirOverhead),
  );
  if (plain === undefined || fresh === undefined) throw new Error('nothing was measured');
  return {
    title: "Cold run: time beyond dbt's own (example project, dbt build)",
    rows: [
      ...Object.entries(samples).map(([name, values]) => ({
        name,
        ...spread(values, milliseconds),
        aim: '',
      })),
      { name: 'dctl / docker run', ...spread(plain, times), aim: `<= ${aim}x` },
      { name: 'dctl / docker run, no target/', ...spread(fresh, times), aim: '' },
    ],
    notes: [`The aim is ${median(plain) <= aim ? 'met' : 'missed'}. Ratios are taken pair by pair.`],
    samples,
  };
}

/** From the POST until the log, followed, has ended and the run is shown as ended. */
async function throughDctl(bench: Bench): Promise<Contender> {
  const system = await startSystem(bench);
  await system.startWorker();
  const jobId = await system.createJob({});
  return async () => {
    const startedAt = performance.now();
    const { runId } = await runToEnd(system, jobId);
    const took = performance.now() - startedAt;
    const artifact = `/api/v1/runs/${runId}/artifacts/run_results.json`;
    return took - ownTime(await system.client.call('GET', artifact));
  };
}

/**
 * As the same user, on a volume that holds the project. What an earlier run left in `target/` spares dbt most of the
 * parsing: a folder that is mounted again and again keeps it, a checkout made for the run does not have it.
 */
async function throughDockerRun(bench: Bench, { keepsTarget }: { keepsTarget: boolean }): Promise<Contender> {
  const name = `dctl-bench-${randomBytes(4).toString('hex')}`;
  const [work, data, label] = [`${name}-work`, `${name}-data`, `dctl.bench=${name}`];
  const volumes = ['--volume', `${work}:/work`, '--volume', `${data}:/data`];
  let isOver = false;
  let latest: Promise<unknown> = Promise.resolve();
  const run = (folder: string, command: string[], input?: string) => {
    if (isOver) throw new Error('the measurement is over');
    const place = ['--interactive', '--label', label, ...volumes, '--env', 'HOME=/tmp', '--workdir', folder];
    const container = ['run', '--rm', ...place, bench.image, ...command];
    const ended = runCommand('docker', container, {
      timeoutMs: 300_000,
      ...(input === undefined ? {} : { input }),
    });
    latest = ended.catch(() => undefined);
    return ended;
  };
  bench.atEnd(async () => {
    isOver = true;
    await removeContainers(label);
    await latest; // it may have been about to start its container just now
    await Promise.all([work, data].map(removeVolume));
  });

  const archive = (await packFolder(exampleFolder)).toString('base64');
  await run('/work', ['sh', '-c', 'mkdir project && base64 -d | tar -xz -C project'], archive);
  return async () => {
    const startedAt = performance.now();
    await run('/work/project', ['dbt', 'build']);
    const took = performance.now() - startedAt;
    const results = await run('/work/project', ['cat', 'target/run_results.json']);
    if (!keepsTarget) await run('/work/project', ['rm', '-r', 'target', 'logs']);
    return took - ownTime(JSON.parse(results) as RunResults);
  };
}

interface RunResults {
  elapsed_time: number;
}

function ownTime(results: RunResults): number {
  return results.elapsed_time * 1_000;
}
