import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import type { Context } from '../src/context.ts';
import { deploymentKey } from '../src/projects/deployment-key.ts';
import { runnerUser } from '../src/projects/unpack.ts';
import type { ClaimedRun } from '../src/runs/lease.ts';
import { parseCacheKey } from './parse-cache.ts';

/** What tar-stream (and every tar) puts behind the last file. */
const endMarkBytes = 1_024;

/**
 * All that a run's container is given, as one tar of what comes below its work folder: the shim, what dbt parsed of
 * this deployment in an earlier run (dbt itself judges whether it still fits), and the deployment's files.
 */
export async function* runFiles(
  { storage }: Pick<Context, 'storage'>,
  run: ClaimedRun,
  image: string,
  { shimTar, more }: { shimTar: Buffer; more: { path: string; content: string }[] },
): AsyncGenerator<Uint8Array> {
  yield shimTar.subarray(0, -endMarkBytes);
  if (more.length > 0) yield* withoutEndMark(tarOf(more));
  const parsed = await storage.read(parseCacheKey(run, image));
  if (parsed !== undefined) yield* withoutEndMark(parseCacheTar(parsed.content, parsed.sizeBytes));
  const deployment = await storage.read(deploymentKey(run.deploymentId));
  if (deployment === undefined) throw new Error("the deployment's files are missing from storage");
  yield* deployment.content as AsyncIterable<Buffer>;
}

function tarOf(files: { path: string; content: string }[]): AsyncIterable<Uint8Array> {
  const archive = pack();
  for (const { path, content } of files) archive.entry({ name: path, mode: 0o444, ...runnerUser }, content);
  archive.finalize();
  return archive as AsyncIterable<Uint8Array>;
}

function parseCacheTar(content: Readable, sizeBytes: number): AsyncIterable<Uint8Array> {
  const archive = pack();
  const folder = { type: 'directory', mode: 0o755, ...runnerUser } as const;
  archive.entry({ name: 'project/', ...folder });
  archive.entry({ name: 'project/target/', ...folder });
  const name = 'project/target/partial_parse.msgpack';
  content.pipe(
    archive.entry({ name, size: sizeBytes, mode: 0o644, ...runnerUser }, () => archive.finalize()),
  );
  content.once('error', (error) => archive.destroy(error));
  return archive as AsyncIterable<Uint8Array>;
}

async function* withoutEndMark(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held = Buffer.alloc(0);
  for await (const chunk of tar) {
    const bytes = Buffer.concat([held, chunk]);
    const end = Math.max(0, bytes.length - endMarkBytes);
    if (end > 0) yield bytes.subarray(0, end);
    held = bytes.subarray(end);
  }
}
