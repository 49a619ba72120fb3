import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, type Report } from '../figures.ts';
import { quiet } from '../quiet.ts';
import { exampleFolder, runToEnd, startSystem, type Bench } from '../system.ts';
import { startAirflow } from './airflow.ts';
import { ensureTool } from './install.ts';
import { startPrefect } from './prefect.ts';

const root = join(import.meta.dirname, '..', '..');
/** Where dbt is installed, once. */
const tools = join(root, '.dctl', 'bench', 'tools');

export interface OtherTool {
  name: string;
  /** From asking for a run to its success as the tool recorded it, in milliseconds. */
  run(): Promise<number>;
}

export interface Workplace {
  folder: string;
  /** For processes that run dbt on the project. */
  env: NodeJS.ProcessEnv;
}

/** The same `dbt build` through tools that also start dbt when they are asked to: from the asking to the success. */
export async function measureOthers(bench: Bench, pairs: number): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-bench-others-'));
  bench.atEnd(() => rm(folder, { recursive: true, force: true }));
  const dbt = join(await ensureTool(tools, 'dbt', dbtPackages()), 'dbt');
  const started = [];
  for (const [name, start] of Object.entries({ airflow: startAirflow, prefect: startPrefect })) {
    bench.say(`others: installing and starting ${name}`);
    started.push(await start(bench, { folder, env: await ownProject(folder, name, dbt) }));
  }
  const dctl = await throughDctl(bench);

  const all: OtherTool[] = [dctl, ...started];
  const samples = new Map(all.map((tool) => [tool, [] as number[]]));
  for (let round = 0; round <= pairs; round += 1) {
    const heard: string[] = [];
    for (const tool of round % 2 === 0 ? all : all.toReversed()) {
      const seconds = (await tool.run()) / 1_000;
      heard.push(`${tool.name} ${seconds.toFixed(2)} s`);
      if (round > 0) samples.get(tool)?.push(seconds); // the first is to warm up
    }
    bench.say(`others, ${round === 0 ? 'warm-up' : `${round} of ${pairs}`}: ${heard.join('; ')}`);
  }

  const of = (tool: OtherTool) => samples.get(tool) ?? [];
  return {
    lines: started.map((tool, index) =>
      compare(
        {
          id: `others-${['airflow', 'prefect'][index]}`,
          what: 'another tool: dbt build, asked for to success',
          against: tool.name,
          unit: 's',
        },
        of(dctl),
        of(tool),
      ),
    ),
    notes: [
      "With dbt's own time in it. The other tools run dbt in a Python environment on this machine, without a container; each has its own copy of the project, with the `target/` of the run before, and keeps its state in the same Postgres. Their processes are up all the time, also while another is measured.",
    ],
    samples: Object.fromEntries(all.map((tool) => [tool.name, of(tool)])),
  };
}

async function throughDctl(bench: Bench): Promise<OtherTool> {
  const system = await startSystem(bench);
  const worker = await system.startWorker();
  const jobId = await system.createJob({});
  await runToEnd(system, jobId);
  return {
    name: 'dctl',
    async run() {
      await quiet(system, worker, { warm: 1 });
      const { tookMs } = await runToEnd(system, jobId);
      await quiet(system, worker, { warm: 1 });
      return tookMs;
    },
  };
}

/** A copy of the project with a folder for its DuckDB file, as variables for whoever runs dbt on it. */
async function ownProject(folder: string, name: string, dbt: string): Promise<NodeJS.ProcessEnv> {
  const [project, data] = [join(folder, `${name}-project`), join(folder, `${name}-data`)];
  await cp(exampleFolder, project, { recursive: true });
  await mkdir(data);
  return { ...process.env, BENCH_DBT: dbt, BENCH_PROJECT: project, DCTL_DATA_DIR: data };
}

/** The versions that the runner image has. */
function dbtPackages(): string[] {
  const versions = JSON.parse(readFileSync(join(root, 'runner', 'versions.json'), 'utf8')) as {
    dbt_core: string;
    adapters: Record<string, string>;
  };
  return [`dbt-core==${versions.dbt_core}`, `dbt-duckdb==${versions.adapters['dbt-duckdb']}`];
}
