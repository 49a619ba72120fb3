import { Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { requireArtifactsStored } from './pending-artifacts.ts';
import { readArtifact } from './read-artifact.ts';
import { requireKeptRun } from './runs.ts';
import { findRunWithDocs } from './store.ts';

/** dbt's page is under two; a project may write one of its own in its place. */
const maxPageBytes = 16 * 1024 * 1024;

/**
 * dbt's own documentation of a project, as `dbt docs generate` left it: its page with manifest and catalog put into it,
 * which is one file that asks for nothing. Whatever stands in it runs in no origin: it has no cookie and reaches nobody.
 */
export async function sendDocs(
  context: Context,
  principal: Principal,
  { projectId, runId }: { projectId: string; runId: string | undefined },
  response: Response,
): Promise<void> {
  const id = await runWithDocs(context, principal, { projectId, runId });
  const [page, manifest, catalog] = await Promise.all(
    ['index.html', 'manifest.json', 'catalog.json'].map((path) => readArtifact(context, { runId: id, path })),
  );
  const streams = [page, manifest, catalog].map((file) => file?.content);
  try {
    if (page === undefined || manifest === undefined || catalog === undefined) throw noDocs();
    if (page.sizeBytes > maxPageBytes) throw noDocs();
    const html = await buffer(page.content);
    const parts = [
      { at: html.indexOf(manifestPlace), place: manifestPlace, content: manifest.content },
      { at: html.indexOf(catalogPlace), place: catalogPlace, content: catalog.content },
    ].toSorted((a, b) => a.at - b.at);
    if (parts.some(({ at }) => at === -1)) throw noDocs();

    response.set(headers).type('html');
    let from = 0;
    for (const { at, place, content } of parts) {
      response.write(html.subarray(from, at));
      await pipeline(content, harmlessInScript(), response, { end: false });
      from = at + place.length;
    }
    response.end(html.subarray(from));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  } finally {
    for (const stream of streams) stream?.destroy();
  }
}

/** The address names the organization: a browser that follows a link sends no header. */
export function requireOwnOrganization({ organizationId }: Principal, named: string): void {
  if (organizationId !== named) throw noDocs();
}

const manifestPlace = Buffer.from('"MANIFEST.JSON INLINE DATA"');
const catalogPlace = Buffer.from('"CATALOG.JSON INLINE DATA"');

const headers = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'unsafe-inline' 'unsafe-eval'",
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    'sandbox allow-scripts',
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

/** JSON that no browser takes for the end of the script it stands in. A `<` in JSON stands in texts alone. */
function harmlessInScript(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      // Byte for byte, whatever UTF-8 is around it.
      const text = chunk.includes('<') ? chunk.toString('latin1').replaceAll('<', '\\u003c') : undefined;
      done(null, text === undefined ? chunk : Buffer.from(text, 'latin1'));
    },
  });
}

async function runWithDocs(
  context: Context,
  principal: Principal,
  { projectId, runId }: { projectId: string; runId: string | undefined },
): Promise<string> {
  if (runId === undefined) {
    const found = await findRunWithDocs(context.db, principal.organizationId, projectId);
    if (found === null) throw noDocs();
    return found;
  }
  const run = await requireKeptRun(context, principal, runId);
  if (run.projectId !== projectId) throw noDocs();
  await requireArtifactsStored(context, run);
  return run.id;
}

function noDocs(): AppError {
  return new AppError(
    'not_found',
    'There is no documentation yet: no run has left any. Run dbt docs generate, or set generate_docs on a job.',
  );
}
