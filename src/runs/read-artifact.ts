import type { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import { artifactKey, formerArtifactKey, isArtifactPath } from './artifact-path.ts';
import { findArtifact } from './store.ts';

/** A file that the run left: the step's, or that of the last step which wrote it. Undefined when there is none. */
export async function readArtifact(
  { db, storage }: Pick<Context, 'db' | 'storage'>,
  { runId, step, path }: { runId: string; step?: number | undefined; path: string },
): Promise<{ sizeBytes: number; content: Readable } | undefined> {
  const artifact = isArtifactPath(path) ? await findArtifact(db, runId, step, path) : null;
  if (artifact === null) return undefined;
  return (
    (await storage.read(artifactKey(runId, artifact.step, path))) ??
    (await storage.read(formerArtifactKey(runId, path)))
  );
}
