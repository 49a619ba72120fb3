import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDockerRun } from './docker-run.ts';
import { compare, type Report } from './figures.ts';
import { quiet, sample } from './quiet.ts';
import { exampleFolder, ownTime, runToEnd, startSystem, type Bench } from './system.ts';
import { selected, writeThousandModels } from './thousand-models.ts';

const aims = { warm: 0.06, cold: 1 };

interface Project {
  /** Begins the ids of its lines. */
  id: string;
  name: string;
  folder: string;
  command: string[];
}

export function measureExample(bench: Bench, pairs: number): Promise<Report> {
  const project = {
    id: 'example',
    name: 'example project',
    folder: exampleFolder,
    command: ['dbt', 'build'],
  };
  return measure(bench, project, pairs);
}

export async function measureThousandModels(bench: Bench, pairs: number): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-bench-project-'));
  bench.atEnd(() => rm(folder, { recursive: true, force: true }));
  await writeThousandModels(folder);
  const command = ['dbt', 'run', '--select', selected];
  return measure(bench, { id: 'thousand', name: '1,000 models, one selected', folder, command }, pairs);
}

/** One way to run the command. Answers what it cost beyond dbt's own time, in milliseconds. */
type Contender = () => Promise<number>;

/** What runs found in the warm pool. */
interface Found {
  /** A container that had parsed the project. */
  preloaded: number;
  runs: number;
}

/** What a run costs beyond dbt's own time: with the warm pool, without it, and with `docker run`, in turns. */
async function measure(bench: Bench, project: Project, pairs: number): Promise<Report> {
  const docker = await openDockerRun(bench, project.folder);
  const found: Found = { preloaded: 0, runs: 0 };
  const contenders: Record<'warm' | 'cold' | 'docker', Contender> = {
    warm: await throughDctl(bench, project, { found }),
    cold: await throughDctl(bench, project, { found: null }),
    docker: async () => (await docker.run(project.command)) - (await docker.ownTime()),
  };
  const samples = { warm: [] as number[], cold: [] as number[], docker: [] as number[] };
  const names = ['warm', 'cold', 'docker'] as const;
  for (let round = 0; round <= pairs; round += 1) {
    const heard: string[] = [];
    // To and fro, so that whatever changes with time changes all alike.
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const overhead = await contenders[name]();
      heard.push(`${name} ${overhead.toFixed(0)} ms`);
      if (round > 0) samples[name].push(overhead); // the first is to warm up
    }
    bench.say(`${project.name}, ${round === 0 ? 'warm-up' : `${round} of ${pairs}`}: ${heard.join(', ')}`);
  }

  const line = (kind: 'warm' | 'cold') =>
    compare(
      {
        id: `${project.id}-${kind}`,
        what: `overhead of a run, ${project.name}, ${kind}`,
        against: 'docker run',
        unit: 'ms',
        aim: { figure: 'median', atMost: aims[kind] },
      },
      samples[kind],
      samples.docker,
    );
  return {
    lines: [line('warm'), line('cold')],
    notes: [
      `\`${project.command.join(' ')}\`, ${pairs} rounds of the three in turns after one to warm up. Warm: on a server that is not saturated, so every run began when the pool was full again; ${found.preloaded} of ${found.runs} runs found a container that had parsed the project. Cold: \`DCTL_WARM_MEMORY_MB=0\`.`,
    ],
    samples,
  };
}

/** From the POST until the run is seen as ended. `found`: counts what the warm pool had for it; null: there is no pool. */
async function throughDctl(
  bench: Bench,
  project: Project,
  { found }: { found: Found | null },
): Promise<Contender> {
  const environment: Record<string, string> = found === null ? { DCTL_WARM_MEMORY_MB: '0' } : {};
  const system = await startSystem(bench, { folder: project.folder, environment });
  const worker = await system.startWorker();
  const jobId = await system.createJob({ command: project.command.join(' ') });
  const ready = { warm: found === null ? 0 : 1 };
  const preloaded = async () => sample(await worker.metrics(), 'dctl_warm_taken_total', 'found="preloaded"');
  // The pool holds containers for jobs that are used.
  await runToEnd(system, jobId);
  return async () => {
    await quiet(system, worker, ready);
    const before = await preloaded();
    const { runId, tookMs } = await runToEnd(system, jobId);
    if (found !== null) {
      found.preloaded += (await preloaded()) - before;
      found.runs += 1;
    }
    const overhead = tookMs - (await ownTime(system, runId));
    await quiet(system, worker, ready);
    return overhead;
  };
}
