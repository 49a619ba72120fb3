import { randomBytes } from 'node:crypto';
import { packFolder } from '../scripts/setup/archive.ts';
import { runCommand } from '../scripts/setup/processes.ts';
import { ownTimeOf, removeContainers, removeVolumes, type Bench } from './system.ts';

/** A project that is run with `docker run --rm`, the way a user does without dctl. */
export interface DockerRun {
  /** Its words up to the command, for a shell. */
  words: string[];
  /** Runs a command in the project's folder to its end; answers how long that took, in milliseconds. */
  run(command: string[]): Promise<number>;
  /** What dbt says the last command took, in milliseconds. */
  ownTime(): Promise<number>;
}

/**
 * The same image and user as a run of dctl. Project and DuckDB file are in volumes that stay, like a folder that is mounted
 * again and again: dbt finds the `target/` of the run before and parses only what has changed.
 */
export async function openDockerRun(bench: Bench, folder: string): Promise<DockerRun> {
  const name = `dctl-bench-${randomBytes(4).toString('hex')}`;
  const label = `dctl.bench=${name}`;
  const volumes = [`${name}-work`, `${name}-data`];
  const mounts = ['--volume', `${volumes[0]}:/work`, '--volume', `${volumes[1]}:/data`];
  const wordsIn = (place: string) => [
    'run',
    '--rm',
    '--label',
    label,
    ...mounts,
    '--env',
    'HOME=/tmp',
    '--workdir',
    place,
    bench.image,
  ];
  let isOver = false;
  let latest: Promise<unknown> = Promise.resolve();
  const docker = (args: string[], input?: string) => {
    if (isOver) throw new Error('the measurement is over');
    const ended = runCommand('docker', args, {
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
    await removeContainers(label);
    await removeVolumes(label);
  });

  for (const volume of volumes) await docker(['volume', 'create', '--label', label, volume]);
  const archive = (await packFolder(folder)).toString('base64');
  const [first = '', ...rest] = wordsIn('/work');
  const unpack = ['sh', '-c', 'mkdir project && base64 -d | tar -xz -C project'];
  await docker([first, '--interactive', ...rest, ...unpack], archive);

  const words = wordsIn('/work/project');
  return {
    words: ['docker', ...words],
    async run(command) {
      const startedAt = performance.now();
      await docker([...words, ...command]);
      return performance.now() - startedAt;
    },
    async ownTime() {
      const results = await docker([...words, 'cat', 'target/run_results.json']);
      return ownTimeOf(JSON.parse(results) as { elapsed_time: number });
    },
  };
}
