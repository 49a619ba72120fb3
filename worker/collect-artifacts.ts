import { extract } from 'tar-stream';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../src/context.ts';
import { artifactKey, isArtifactPath } from '../src/runs/artifact-path.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import { recordArtifact } from '../src/runs/progress.ts';
import { containerSpec, projectFolder } from './dbt/container-spec.ts';
import type { Executor } from './executors/executor.ts';
import { keepParseCache, parseCacheFile } from './parse-cache.ts';

const maxFiles = 20_000;
/** dbt's own working files: of no use to people, and large. */
const leftOut = /^graph(_summary)?\.(gpickle|json)$/;

/** Stores the files of dbt's target folder. Only plain files: a link could point anywhere. */
export async function collectArtifacts(context: Context, executor: Executor, run: ClaimedRun): Promise<void> {
  const { db, storage, log, config } = context;
  const { name, image } = containerSpec(run, config);
  const archive = await executor.collect(name, `${projectFolder}/target`);
  if (archive === null) return;
  const entries = extract();
  const unpacked = pipeline(Readable.from(archive), entries);
  let files = 0;
  const stored = (async () => {
    for await (const entry of entries) {
      const path = entry.header.name.replace(/^target\//, '');
      const content = entry as AsyncIterable<Uint8Array>;
      if (path === parseCacheFile && entry.header.type === 'file') {
        await keepParseCache(context, run, image, content);
      } else if (isWanted(path, entry.header.type) && files < maxFiles) {
        files += 1;
        const { sizeBytes } = await storage.write(artifactKey(run.id, path), content);
        await recordArtifact(db, run.id, path, sizeBytes);
      }
      entry.resume();
    }
  })();
  await Promise.all([unpacked, stored]);
  if (files === maxFiles) log.warn({ run: run.id, maxFiles }, 'the run left more artifacts than are kept');
}

function isWanted(path: string, type: string): boolean {
  return type === 'file' && isArtifactPath(path) && !leftOut.test(path);
}
