import { pack } from 'tar-stream';
import type { Context } from '../src/context.ts';
import { preparedFilesKey } from '../src/preparations/stored-at.ts';
import { deploymentKey } from '../src/projects/deployment-key.ts';
import { runnerUser } from '../src/projects/unpack.ts';
import type { FoundPreparation } from '../src/preparations/store.ts';

/** What tar-stream (and every tar) puts behind the last file. */
const endMarkBytes = 1_024;

/**
 * All that a container is given, as one tar of what comes below its work folder: the shim, what was prepared of the
 * deployment, and the deployment's files. `parsedWith`: what the container's dbt is going to parse with. What was prepared
 * with something else stays away: nobody could tell whether its packages are still those that the project names.
 */
export async function* runFiles(
  { storage }: Pick<Context, 'storage'>,
  deploymentId: string,
  {
    shimTar,
    files,
    prepared,
    parsedWith,
  }: {
    shimTar: Buffer;
    files: { path: string; content: string }[];
    prepared: Pick<FoundPreparation, 'id' | 'deploymentId' | 'digest' | 'parsedWith'> | null;
    parsedWith: string | null;
  },
): AsyncGenerator<Uint8Array> {
  yield shimTar.subarray(0, -endMarkBytes);
  if (files.length > 0) yield* withoutEndMark(tarOf(files));
  const digest = prepared?.digest ?? null;
  if (prepared !== null && digest !== null && parsedWith !== null && prepared.parsedWith === parsedWith) {
    const stored = await storage.read(preparedFilesKey({ ...prepared, digest }));
    if (stored !== undefined) yield* withoutEndMark(stored.content as AsyncIterable<Buffer>);
  }
  const deployment = await storage.read(deploymentKey(deploymentId));
  if (deployment === undefined) throw new Error("the deployment's files are missing from storage");
  yield* deployment.content as AsyncIterable<Buffer>;
}

function tarOf(files: { path: string; content: string }[]): AsyncIterable<Uint8Array> {
  const archive = pack();
  for (const { path, content } of files) archive.entry({ name: path, mode: 0o444, ...runnerUser }, content);
  archive.finalize();
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
