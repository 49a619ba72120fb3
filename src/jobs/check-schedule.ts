import type { z } from 'zod';
import type { Context } from '../context.ts';
import { problemOfCron, problemOfTimezone, timesOf } from '../cron.ts';
import type { scheduleToCheck, scheduleVerdict } from './schema.ts';
import { timeNow } from './store.ts';

/** Further ahead than this one time is told, and no second: those of a rare day are long to look for. */
const horizonMs = 40 * 366 * 86_400_000;

/** The next times of a schedule that no job has yet, or what is wrong with it. */
export async function checkSchedule(
  { db }: Context,
  { cron, timezone, count }: z.output<typeof scheduleToCheck>,
): Promise<z.input<typeof scheduleVerdict>> {
  const problems = [
    { field: 'cron' as const, detail: problemOfCron(cron) },
    { field: 'timezone' as const, detail: problemOfTimezone(timezone) },
  ];
  const found = problems.flatMap(({ field, detail }) => (detail === null ? [] : { field, detail }));
  if (found.length > 0) return { accepted: false, problems: found };

  const times = timesOf(cron, timezone);
  const now = await timeNow(db);
  let time = times.next(now);
  const next = [time];
  while (next.length < count && time.getTime() - now.getTime() < horizonMs) {
    time = times.next(time);
    next.push(time);
  }
  return { accepted: true, next_times: next.map((each) => each.toISOString()) };
}
