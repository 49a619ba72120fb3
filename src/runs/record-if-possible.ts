import type { Context } from '../context.ts';
import { isDatabaseAway, type Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { jobToRun, type JobToRun } from '../jobs/job-to-run.ts';
import { newRun, type Occasion } from './new-run.ts';
import { recordRun, type ReplacedRun } from './record-run.ts';

export interface RecordedRun {
  runId: string;
  /** Runs whose place it has taken. */
  replaced: ReplacedRun[];
}

/**
 * Records a run of a job in the transaction of what makes it begin, so that there is exactly one. That transaction must
 * not fail for it: where the job cannot run, or something goes wrong, nothing of the run is left and a sentence says why.
 * Only where Postgres is away all fails.
 */
export async function recordIfPossible(
  tx: Transaction,
  context: Context,
  job: { organizationId: string; projectId: string; jobId: string },
  occasionOf: (job: JobToRun) => Occasion,
): Promise<RecordedRun | string> {
  await tx.$executeRaw`SAVEPOINT run`;
  try {
    const recorded = await recordOrSay(tx, context, job, occasionOf);
    await tx.$executeRaw`RELEASE SAVEPOINT run`;
    return recorded;
  } catch (error) {
    if (isDatabaseAway(error)) throw error;
    context.log.error({ error, job: job.jobId }, 'a run was not recorded');
    await tx.$executeRaw`ROLLBACK TO SAVEPOINT run`;
    return 'The run could not be recorded: the log of the server says why.';
  }
}

async function recordOrSay(
  tx: Transaction,
  context: Context,
  key: { organizationId: string; projectId: string; jobId: string },
  occasionOf: (job: JobToRun) => Occasion,
): Promise<RecordedRun | string> {
  try {
    const job = await jobToRun(tx, key);
    if (!job.enabled) return 'The job is switched off.';
    const run = newRun(job, occasionOf(job));
    const replaced = await recordRun(tx, context, job, run);
    return replaced === null ? 'Its project has no code to run.' : { runId: run.id, replaced };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.message;
  }
}
