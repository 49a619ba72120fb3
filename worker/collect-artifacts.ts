import { extract } from 'tar-stream';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../src/context.ts';
import { artifactKey, isArtifactPath } from '../src/runs/artifact-path.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import { recordArtifacts } from '../src/runs/progress.ts';
import { containerSpec, projectFolder } from './dbt/container-spec.ts';
import type { Executor } from './executors/executor.ts';
import type { Mask } from './masking.ts';
import { keepParseCache, parseCacheFile } from './parse-cache.ts';

const maxFiles = 20_000;
/** dbt's own working files: of no use to people, and large. */
const workingFiles = /^graph(_summary)?\.(gpickle|json)$/;

/** Stores the files of dbt's target folder. Only plain files: a link could point anywhere. */
export async function collectArtifacts(
  context: Context,
  executor: Executor,
  run: ClaimedRun,
  mask: Mask,
): Promise<void> {
  const { db, storage, log, config } = context;
  const { name, image } = containerSpec(run, config);
  const archive = await executor.collect(name, `${projectFolder}/target`);
  if (archive === null) return;
  const entries = extract();
  const unpacked = pipeline(Readable.from(archive), entries);
  const artifacts: { path: string; sizeBytes: number }[] = [];
  let room = config.DCTL_MAX_ARTIFACT_BYTES;
  let leftOut = 0;
  const stored = (async () => {
    for await (const entry of entries) {
      const path = entry.header.name.replace(/^target\//, '');
      const content = entry as AsyncIterable<Uint8Array>;
      if (path === parseCacheFile && entry.header.type === 'file') {
        await keepParseCache(context, run, image, content);
      } else if (isWanted(path, entry.header.type)) {
        const { size } = entry.header;
        if (artifacts.length < maxFiles && size <= room) {
          room -= size;
          artifacts.push({
            path,
            ...(await storage.write(artifactKey(run.id, path), masked(content, mask))),
          });
        } else {
          leftOut += 1;
        }
      }
      entry.resume();
    }
  })();
  await Promise.all([unpacked, stored]);
  await recordArtifacts(db, run.id, artifacts);
  if (leftOut > 0) log.warn({ run: run.id, leftOut }, 'the run left more artifacts than are kept');
}

async function* masked(content: AsyncIterable<Uint8Array>, mask: Mask): AsyncGenerator<Uint8Array> {
  const stream = mask.stream();
  for await (const piece of content) yield stream.write(Buffer.from(piece));
  yield stream.end();
}

function isWanted(path: string, type: string): boolean {
  return type === 'file' && isArtifactPath(path) && !workingFiles.test(path);
}
