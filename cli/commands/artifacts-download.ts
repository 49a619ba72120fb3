import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, matchesGlob, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Artifact, DctlClient } from '../../client/index.ts';
import { command } from '../command.ts';
import { Failure, UsageError } from '../failure.ts';
import { findRun, runArgument } from '../find/run.ts';
import { runProjectOption } from '../options.ts';
import { countOf, formatBytes } from '../output/format.ts';
import { plain } from '../output/plain.ts';
import { stepOption } from './artifacts.ts';

export const artifactsDownload = command({
  name: 'artifacts download',
  summary: 'Download the artifacts of a run: all, or those that are named',
  examples: [
    'dctl artifacts download latest manifest.json run_results.json --into target',
    "dctl artifacts download latest 'compiled/**/*.sql'",
  ],
  arguments: {
    run: runArgument,
    files: { about: 'paths, or patterns with * and **', many: true, isOptional: true },
  },
  options: {
    into: { about: 'the folder to save them in (artifacts)', value: 'FOLDER', short: 'd' },
    step: stepOption,
    project: runProjectOption,
  },
  async run(shell, given) {
    const { out } = shell;
    const client = shell.client();
    const { id } = await findRun(shell, given.run, given.project);
    const query = given.step === undefined ? {} : { step: given.step };
    const { data } = await client.call('listRunArtifacts', { path: { run_id: id }, query });
    const wanted = chosen(data, given.files);
    const folder = resolve(shell.folder, given.into ?? 'artifacts');
    const fetched: { path: string; file: string; size_bytes: number }[] = [];
    for (const artifact of wanted) {
      const { path, size_bytes } = artifact;
      const file = placeOf(folder, path);
      out.redraw(`${path} ${formatBytes(size_bytes)}`);
      await fetchInto(client, id, artifact, file);
      fetched.push({ path, file, size_bytes });
    }
    out.redraw('');
    out.answer(fetched, () => {
      const bytes = fetched.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
      out.say(`${countOf(fetched.length, 'file')}, ${formatBytes(bytes)}, in ${folder}`);
    });
  },
});

function chosen(artifacts: Artifact[], patterns: string[]): Artifact[] {
  if (artifacts.length === 0) throw new UsageError('The run has no artifacts.');
  const isLike = (path: string, pattern: string) => path === pattern || matchesGlob(path, pattern);
  for (const pattern of patterns)
    if (!artifacts.some(({ path }) => isLike(path, pattern)))
      throw new UsageError(`The run has no artifact ${pattern}: see dctl artifacts.`);
  if (patterns.length === 0) return artifacts;
  return artifacts.filter(({ path }) => patterns.some((pattern) => isLike(path, pattern)));
}

/** Whatever a server says, nothing is written outside the folder, nor into what git would run. */
function placeOf(folder: string, path: string): string {
  const file = join(folder, path);
  if (
    !file.startsWith(folder + sep) ||
    path.includes('\0') ||
    path.split(/[\\/]/).some((part) => /^(\.\.|\.git)$/i.test(part))
  )
    throw new Failure(`${plain(path)} leads out of ${folder}, or into git's own files: it is not fetched.`);
  return file;
}

/** A file is there as a whole or not at all. */
async function fetchInto(
  client: DctlClient,
  runId: string,
  { path, step }: Artifact,
  file: string,
): Promise<void> {
  const { body } = await client.open('getRunArtifact', { path: { run_id: runId, path }, query: { step } });
  const unfinished = `${file}.${process.pid}.part`;
  await mkdir(dirname(file), { recursive: true });
  try {
    await pipeline(Readable.fromWeb(body as ReadableStream), createWriteStream(unfinished));
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
}
