import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { artifactKey, isArtifactPath } from './artifact-path.ts';
import { requireRun } from './runs.ts';
import { findArtifact } from './store.ts';

/** Sends an artifact as it is, with a content type that no browser runs. */
export async function sendArtifact(
  context: Context,
  principal: Principal,
  { runId, path }: { runId: string; path: string },
  response: Response,
): Promise<void> {
  await requireRun(context, principal, runId);
  const artifact = isArtifactPath(path) ? await findArtifact(context.db, runId, path) : null;
  const stored = artifact && (await context.storage.read(artifactKey(runId, path)));
  if (!stored) throw new AppError('not_found', 'The run has no such artifact.');
  response.setHeader('Content-Length', stored.sizeBytes);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Security-Policy', 'sandbox');
  response.type(path.endsWith('.json') ? 'application/json' : 'text/plain; charset=utf-8');
  await pipeline(stored.content, response).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
}
