import { text } from 'node:stream/consumers';
import type { Context } from '../src/context.ts';
import { artifactKey, formerArtifactKey } from '../src/runs/artifact-path.ts';
import { neverBegan } from '../src/runs/status.ts';
import { findSteps } from '../src/runs/store.ts';
import { ownResults, runResults, type Results } from './dbt/run-results.ts';

const path = 'run_results.json';
/** Nodes without an end of their own: results that dbt wrote when it was interrupted do not have them. */
const unfinished = {
  OR: [{ status: { in: ['queued', 'started', 'interrupted'] } }, { message: neverBegan }],
};
/** dbt's own results of more than this are not looked into: the ledger has the same of every node, but shorter. */
const maxBytes = 32 * 1024 ** 2;

/** The results of each step that dbt could not write, or not whole, because it was ended. */
export async function completeResults(
  context: Context,
  runId: string,
): Promise<{ step: number; path: string; content: string }[]> {
  const completed = [];
  for (const { number, status } of await findSteps(context.db, [runId])) {
    if (status === 'success' || !(await lacksResults(context, runId, number))) continue;
    const results = await resultsOf(context, runId, number);
    if (results?.isCompleted) {
      completed.push({ step: number, path, content: JSON.stringify(results.content) });
    }
  }
  return completed;
}

async function lacksResults({ db, storage }: Context, runId: string, step: number): Promise<boolean> {
  if (!(await storage.has(artifactKey(runId, step, path)))) return true;
  return (await db.nodeResult.count({ where: { runId, step, ...unfinished } })) > 0;
}

/**
 * The results of a step with every node that it was to work on: what dbt wrote of it, and from the ledger what is not
 * in that. Null when nothing was kept that could be gone on from.
 */
export async function resultsOf(
  context: Context,
  runId: string,
  number: number,
): Promise<{ content: Results; isCompleted: boolean } | null> {
  const { db } = context;
  const [step, nodes, own] = await Promise.all([
    db.runStep.findUnique({ where: { runId_number: { runId, number } } }),
    db.nodeResult.findMany({ where: { runId, step: number }, orderBy: { uniqueId: 'asc' } }),
    readOwn(context, runId, number),
  ]);
  if (step === null) return null;
  if (nodes.length === 0) return own && { content: own, isCompleted: false };
  const content = runResults(step, nodes, { own, now: new Date() });
  return content && { content, isCompleted: content.results.length !== own?.results.length };
}

async function readOwn({ storage }: Context, runId: string, step: number): Promise<Results | null> {
  const stored =
    (await storage.read(artifactKey(runId, step, path))) ??
    (await storage.read(formerArtifactKey(runId, path)));
  if (stored === undefined) return null;
  if (stored.sizeBytes > maxBytes) {
    stored.content.destroy();
    return null;
  }
  try {
    return ownResults.parse(JSON.parse(await text(stored.content)));
  } catch {
    // Half a file, or something that the project wrote under this name.
    return null;
  }
}
