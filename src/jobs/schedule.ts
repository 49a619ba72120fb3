import { problemOfCron, problemOfTimezone, timesOf } from '../cron.ts';
import { invalidField } from '../errors.ts';
import type { Schedule, ScheduleView } from './schema.ts';

/** When a job runs by itself, as it is stored: all of it null, or nothing but the problem. */
export interface JobSchedule {
  scheduleCron: string | null;
  scheduleTimezone: string | null;
  /** `run_once` or `skip`. */
  scheduleMissed: string | null;
  scheduleNextAt: Date | null;
  scheduleProblem: string | null;
}

export const noSchedule: JobSchedule = {
  scheduleCron: null,
  scheduleTimezone: null,
  scheduleMissed: null,
  scheduleNextAt: null,
  scheduleProblem: null,
};

/**
 * The job's schedule after a change, counted from `now`; null takes it away. The same times sent once more go on as they
 * were: one that is due just now is not lost.
 */
export function changedSchedule(current: JobSchedule, wanted: Schedule | null, now: Date): JobSchedule {
  if (wanted === null) return noSchedule;
  const cron = wanted.cron.trim().split(/\s+/).join(' ');
  const { timezone, missed } = wanted;
  if (cron === current.scheduleCron && timezone === current.scheduleTimezone) {
    return { ...scheduleOf(current), scheduleMissed: missed };
  }
  refuse('/schedule/cron', problemOfCron(cron));
  refuse('/schedule/timezone', problemOfTimezone(timezone));
  return {
    scheduleCron: cron,
    scheduleTimezone: timezone,
    scheduleMissed: missed,
    scheduleNextAt: timesOf(cron, timezone).next(now),
    scheduleProblem: null,
  };
}

/** Of all that is stored of a job. */
export function scheduleOf(job: JobSchedule): JobSchedule {
  const { scheduleCron, scheduleTimezone, scheduleMissed, scheduleNextAt, scheduleProblem } = job;
  return { scheduleCron, scheduleTimezone, scheduleMissed, scheduleNextAt, scheduleProblem };
}

export function scheduleView(job: JobSchedule): ScheduleView | null {
  const { scheduleCron: cron, scheduleTimezone: timezone, scheduleNextAt: nextAt } = job;
  if (cron === null || timezone === null || nextAt === null) return null;
  return {
    cron,
    timezone,
    missed: job.scheduleMissed === 'skip' ? 'skip' : 'run_once',
    next_run_at: nextAt.toISOString(),
    problem: job.scheduleProblem,
  };
}

function refuse(pointer: string, problem: string | null): void {
  if (problem !== null) throw invalidField(pointer, problem);
}
