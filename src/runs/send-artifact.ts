import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { requireArtifactsStored } from './pending-artifacts.ts';
import { readArtifact } from './read-artifact.ts';
import { requireKeptRun } from './runs.ts';
import { requireStep } from './steps.ts';

/** Sends an artifact as it is, with a content type that no browser runs. */
export async function sendArtifact(
  context: Context,
  principal: Principal,
  { runId, step, path }: { runId: string; step: number | undefined; path: string },
  response: Response,
): Promise<void> {
  const run = await requireKeptRun(context, principal, runId);
  requireStep(run, step);
  await requireArtifactsStored(context, run);
  const stored = await readArtifact(context, { runId, step, path });
  if (stored === undefined) throw new AppError('not_found', 'The run has no such artifact.');
  response.setHeader('Content-Length', stored.sizeBytes);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Security-Policy', 'sandbox');
  response.type(path.endsWith('.json') ? 'application/json' : 'text/plain; charset=utf-8');
  await pipeline(stored.content, response).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
}
