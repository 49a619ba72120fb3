import type { Context } from '../context.ts';
import { timesOf } from '../cron.ts';
import type { Transaction } from '../db.ts';
import { AppError } from '../errors.ts';
import { jobToRun } from '../jobs/job-to-run.ts';
import { lockScheduledJob, setNextTime, type ScheduledJob } from '../jobs/store.ts';
import { newRun } from './new-run.ts';
import { recordRun, ringForReplaced, type ReplacedRun } from './record-run.ts';
import { isRecorded, type NewRun } from './store.ts';

/** A time of a schedule that has come. */
export interface Fired {
  /** Null: no run was to be made, or none could be. */
  run: string | null;
  replaced: ReplacedRun[];
}

/**
 * Records the run of a job whose time has come, and sets the next time, in one transaction that has the job's row locked:
 * one run a time, however many are told of it and however often. What a message says does not count, only the database's
 * clock: one that comes too early does nothing, and the sweeper fires that time.
 *
 * A time that passed longer ago than DCTL_SCHEDULE_LATE_SECONDS was missed. Of all that were missed the last one gets a
 * run, or none does, as the job's schedule says.
 *
 * Null: the job is not there, or has no schedule.
 */
export async function fireSchedule(context: Context, jobId: string): Promise<Fired | null> {
  const startedAt = performance.now();
  const fired = await context.db.$transaction(
    async (tx) => {
      const job = await lockScheduledJob(tx, jobId);
      if (job === null) return null;
      return job.nextAt > job.now ? noRun : fire(tx, context, job);
    },
    { maxWait: 5_000 },
  );
  if (fired !== null && fired.run !== null) {
    context.log.info({ run: fired.run, job: jobId }, 'run queued');
    const seconds = (performance.now() - startedAt) / 1_000;
    context.metrics.triggers.observe({ triggered_by: 'schedule' }, seconds);
  }
  return fired;
}

/** To be called once they are fired. All at once: where the queue is away, each takes its second. */
export async function ringForFired(context: Context, fired: Fired[]): Promise<void> {
  const runs = fired.flatMap(({ run }) => run ?? []);
  await Promise.all([
    ...runs.map((id) => context.doorbell.ringRun(id)),
    ringForReplaced(
      context,
      fired.flatMap(({ replaced }) => replaced),
    ),
  ]);
}

const noRun: Fired = { run: null, replaced: [] };

async function fire(tx: Transaction, context: Context, job: ScheduledJob): Promise<Fired> {
  const { id, nextAt, now } = job;
  const times = timesOf(job.cron, job.timezone);
  const time = times.latest(nextAt, now);
  const next = times.next(now);
  const isMissed = now.getTime() - time.getTime() > context.config.DCTL_SCHEDULE_LATE_SECONDS * 1_000;
  const fields = { job: id, time: time.toISOString() };

  if ((isMissed && job.missed === 'skip') || (await isRecorded(tx, id, time))) {
    context.log.info(fields, 'a time of a schedule was skipped');
    await setNextTime(tx, id, next, undefined);
    return noRun;
  }
  const recorded = await record(tx, context, job, time);
  const problem = typeof recorded === 'string' ? recorded : null;
  await setNextTime(tx, id, next, problem && `${time.toISOString()}: ${problem}`);
  if (typeof recorded !== 'string') return recorded;
  context.log.warn({ ...fields, problem }, 'a schedule made no run');
  return noRun;
}

/** Why there is no run, in a sentence that says what to do. */
async function record(
  tx: Transaction,
  context: Context,
  { id: jobId, projectId, organizationId }: ScheduledJob,
  time: Date,
): Promise<Fired | string> {
  const job = await jobToRun(tx, { organizationId, projectId, jobId });
  if (!job.enabled) return 'the job was switched off: set its field enabled to true.';
  let run: NewRun;
  try {
    run = newRun(job, { triggeredBy: 'schedule', requestedBy: 'schedule', scheduledFor: time });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.message;
  }
  const replaced = await recordRun(tx, context, job, run);
  return replaced === null ? 'the project had no code to run: deploy it.' : { run: run.id, replaced };
}
