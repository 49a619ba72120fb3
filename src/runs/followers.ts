import type { Context } from '../context.ts';
import { isDatabaseAway, type Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { jobToRun, type JobToRun } from '../jobs/job-to-run.ts';
import { findFollowers, findJobOfRun } from '../jobs/store.ts';
import type { EndedRun } from './lease.ts';
import { newRun } from './new-run.ts';
import { recordRun, type ReplacedRun } from './record-run.ts';
import type { NewRun } from './store.ts';

/** Runs that began because another one has ended. */
export interface Followers {
  runIds: string[];
  replaced: ReplacedRun[];
}

export const noFollowers: Followers = { runIds: [], replaced: [] };

/**
 * Records a run of each job that runs when this one's job has ended so, in the transaction that ends the run: so there
 * is exactly one. A run that was cancelled has ended as `error`, like any other; one that was replaced starts nobody
 * (recordRun), because the one in its place will. A job that cannot run is left out: the end of this run must not fail for it. Where
 * Postgres is away the end fails as a whole, and is recorded later.
 */
export async function startFollowers(tx: Transaction, context: Context, run: EndedRun): Promise<Followers> {
  const followers = await findFollowers(tx, run.jobId, run.status);
  if (followers.length === 0) return noFollowers;

  const started: Followers = { runIds: [], replaced: [] };
  const { name } = await findJobOfRun(tx, run.jobId);
  for (const { id: jobId, projectId } of followers) {
    await tx.$executeRaw`SAVEPOINT follower`;
    const recorded = await follow(tx, context, { projectId, jobId }, { run, name }).catch(
      async (error: unknown) => {
        if (isDatabaseAway(error)) throw error;
        context.log.error({ error, job: jobId, after: run.id }, 'a job that runs after another was not run');
        await tx.$executeRaw`ROLLBACK TO SAVEPOINT follower`;
        return null;
      },
    );
    if (recorded === null) continue;
    if (typeof recorded === 'string') {
      const fields = { job: jobId, after: run.id, why: recorded };
      context.log.warn(fields, 'a job that runs after another was left out');
      continue;
    }
    started.runIds.push(recorded.runId);
    started.replaced.push(...recorded.replaced);
  }
  return started;
}

/** A sentence: why it cannot run. */
async function follow(
  tx: Transaction,
  context: Context,
  { projectId, jobId }: { projectId: string; jobId: string },
  { run: { id, status, organizationId }, name }: { run: EndedRun; name: string },
): Promise<string | { runId: string; replaced: ReplacedRun[] }> {
  let job: JobToRun;
  let following: NewRun;
  try {
    job = await jobToRun(tx, { organizationId, projectId, jobId });
    if (!job.enabled) return 'The job is switched off.';
    following = newRun(job, {
      triggeredBy: 'event',
      requestedBy: name,
      afterRun: id,
      cause: `Job "${name}" ended with ${status}.`,
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.message;
  }
  const replaced = await recordRun(tx, context, job, following);
  return replaced === null ? 'Its project has no code to run.' : { runId: following.id, replaced };
}
