import { extract } from 'tar-stream';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../src/context.ts';
import { artifactKey, isArtifactPath } from '../src/runs/artifact-path.ts';
import { recordArtifact } from '../src/runs/progress.ts';
import { projectFolder } from './dbt/container-spec.ts';
import type { Executor } from './executors/executor.ts';

const maxFiles = 20_000;
/** dbt's caches between runs: of no use to people, and large. */
const leftOut = /^(partial_parse\.msgpack|graph(_summary)?\.(gpickle|json))$/;

/** Stores the files of dbt's target folder. Only plain files: a link could point anywhere. */
export async function collectArtifacts(
  { db, storage, log }: Context,
  executor: Executor,
  runId: string,
  containerName: string,
): Promise<void> {
  const archive = await executor.collect(containerName, `${projectFolder}/target`);
  if (archive === null) return;
  const entries = extract();
  const unpacked = pipeline(Readable.from(archive), entries);
  let files = 0;
  const stored = (async () => {
    for await (const entry of entries) {
      const path = entry.header.name.replace(/^target\//, '');
      const wanted =
        entry.header.type === 'file' && isArtifactPath(path) && !leftOut.test(path) && files < maxFiles;
      if (wanted) {
        files += 1;
        const { sizeBytes } = await storage.write(
          artifactKey(runId, path),
          entry as AsyncIterable<Uint8Array>,
        );
        await recordArtifact(db, runId, path, sizeBytes);
      }
      entry.resume();
    }
  })();
  await Promise.all([unpacked, stored]);
  if (files === maxFiles) log.warn({ run: runId, maxFiles }, 'the run left more artifacts than are kept');
}
