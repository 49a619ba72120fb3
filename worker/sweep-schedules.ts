import type { Context } from '../src/context.ts';
import { countScheduledJobs, findDueJobs, listScheduledJobs, type CronOfJob } from '../src/jobs/store.ts';
import { fireSchedule, ringForFired, type Fired } from '../src/runs/fire-schedule.ts';

/**
 * Fires the schedules that are due and that no message has rung for: it came too early, or was lost. Their times are set
 * in the queue once more; those of all jobs, when the queue holds more or fewer of them than there are.
 */
export async function sweepSchedules(context: Context): Promise<void> {
  const { db, config, log, doorbell } = context;
  const due = await findDueJobs(db, config.DCTL_SWEEP_SECONDS);
  const fired: Fired[] = [];
  for (const id of due) {
    try {
      const each = await fireSchedule(context, id);
      if (each !== null) fired.push(each);
    } catch (error) {
      log.error({ error, job: id }, 'a schedule could not be fired');
    }
  }
  await ringForFired(context, fired);

  // Throws where the queue is away: then there is nothing to set.
  const [inQueue, wanted] = await Promise.all([doorbell.countSchedules(), countScheduledJobs(db)]);
  if (due.length > 0) await setTimes(context, await listScheduledJobs(db, due));
  if (inQueue !== wanted) await setAllTimes(context);
}

/** What a worker does when the time of a job's schedule has come. */
export async function answerSchedule(context: Context, jobId: string): Promise<void> {
  const fired = await fireSchedule(context, jobId);
  if (fired === null) await context.doorbell.ringNoMore(jobId);
  else await ringForFired(context, [fired]);
}

async function setTimes({ doorbell }: Context, jobs: CronOfJob[]): Promise<void> {
  for (const { id, ...schedule } of jobs) await doorbell.ringAtTimesOf(id, schedule);
}

/** Makes the queue ring for the jobs that have a schedule, and for no others. */
async function setAllTimes(context: Context): Promise<void> {
  const { db, doorbell, log } = context;
  // First the queue: what it has and is not stored any more was taken away, and is not about to come.
  const inQueue = new Set(await doorbell.listSchedules());
  const wanted = await listScheduledJobs(db);
  const missing = wanted.filter(({ id }) => !inQueue.has(id));
  for (const { id } of wanted) inQueue.delete(id);
  await setTimes(context, missing);
  for (const id of inQueue) await doorbell.ringNoMore(id);
  log.info({ set: missing.length, removed: inQueue.size }, 'the times of schedules were set in the queue');
}
