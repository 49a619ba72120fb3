import type { Context } from '../context.ts';
import type { Transaction } from '../db.ts';
import { findFollowers, findJobOfRun } from '../jobs/store.ts';
import type { EndedRun } from './lease.ts';
import { recordIfPossible } from './record-if-possible.ts';
import type { ReplacedRun } from './record-run.ts';

/** Runs that began because another one has ended. */
export interface Followers {
  runIds: string[];
  replaced: ReplacedRun[];
}

export const noFollowers: Followers = { runIds: [], replaced: [] };

/**
 * Records a run of each job that runs when this one's job has ended so, in the transaction that ends the run: so there
 * is exactly one. A run that was cancelled has ended as `error`, like any other; one that was replaced starts nobody
 * (recordRun), because the one in its place will. A job that cannot run is left out: the end of this run must not fail
 * for it. Where Postgres is away the end fails as a whole, and is recorded later.
 */
export async function startFollowers(tx: Transaction, context: Context, run: EndedRun): Promise<Followers> {
  const followers = await findFollowers(tx, run.jobId, run.status);
  if (followers.length === 0) return noFollowers;

  const started: Followers = { runIds: [], replaced: [] };
  const { id: afterRun, status, organizationId } = run;
  const { name } = await findJobOfRun(tx, run.jobId);
  for (const { id: jobId, projectId } of followers) {
    const recorded = await recordIfPossible(tx, context, { organizationId, projectId, jobId }, () => ({
      triggeredBy: 'event',
      requestedBy: name,
      afterRun,
      cause: `Job "${name}" ended with ${status}.`,
    }));
    if (typeof recorded === 'string') {
      const fields = { job: jobId, after: afterRun, why: recorded };
      context.log.warn(fields, 'a job that runs after another was left out');
      continue;
    }
    started.runIds.push(recorded.runId);
    started.replaced.push(...recorded.replaced);
  }
  return started;
}
