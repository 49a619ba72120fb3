import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { problemOfCron } from '../cron.ts';
import { invalidField } from '../errors.ts';
import { text } from '../text.ts';

/** Of what is not known. Null, like everywhere, is the same as left out. */
const unknown = z.null({ error: 'is not known here: leave it out' });

const hour = z.int().min(0).max(23);
const days = z.array(z.int().min(0).max(6)).max(7).nullish().meta({ description: '0 is Sunday' });

const date = z.object({
  type: z.enum(['every_day', 'days_of_week', 'custom_cron', 'interval_cron']),
  days,
  cron: text(200).nullish(),
});

const time = z.object({
  type: z.enum(['every_hour', 'at_exact_hours']),
  interval: z.int().min(1).max(24).nullish(),
  hours: z.array(hour).max(24).nullish(),
});

/** Within a run it is shown as its type alone. */
const typeAlone = (given: unknown) => (typeof given === 'string' ? { type: given } : given);

/** As clients write it: parts may be missing, or be single words. */
export const scheduleForm = z
  .object({
    cron: text(200).nullish(),
    date: z.preprocess(typeAlone, date.catchall(unknown).nullish()),
    time: z.preprocess(typeAlone, time.catchall(unknown).nullish()),
  })
  .catchall(unknown);

/** As it is kept and given back: with its cron, and the rest as it was written. */
export const keptSchedule = z.object({ cron: z.string(), date, time });

export type KeptSchedule = z.output<typeof keptSchedule>;

/** What dbt Cloud shows of a job that never had one. */
export const noSchedule: KeptSchedule = {
  cron: '0 * * * *',
  date: { type: 'every_day' },
  time: { type: 'every_hour', interval: 1 },
};

/** A cron, for those whose schedule came to be otherwise. */
export function scheduleOfCron(cron: string): KeptSchedule {
  return { cron, date: { type: 'custom_cron', cron }, time: noSchedule.time };
}

/**
 * The schedule after a change. Its cron says when the job runs; a client that sends a date and a time as well must mean
 * the same with both. What a client sends back as it was shown has not changed, so the other part counts.
 */
export function changedSchedule(form: z.output<typeof scheduleForm>, shown: KeptSchedule): KeptSchedule {
  const wanted = {
    date: form.date ?? undefined,
    time: form.time ?? undefined,
    cron: form.cron?.trim() === '' ? undefined : form.cron?.trim().split(/\s+/).join(' '),
  };
  // A cron alone.
  if (wanted.cron !== undefined && wanted.date === undefined && wanted.time === undefined) {
    return scheduleOfCron(wanted.cron);
  }
  const kept = {
    date: wanted.date ?? shown.date,
    time: wanted.time ?? shown.time,
  };
  const derived = cronOf(kept);
  const isSame = isDeepStrictEqual(kept, { date: shown.date, time: shown.time });
  const given = wanted.cron === shown.cron && !isSame ? undefined : wanted.cron;
  if (given === undefined || given === derived) return { cron: derived, ...kept };
  if (isSameButMinute(given, derived)) return { cron: given, ...kept };
  if (isSame) return scheduleOfCron(given);
  const detail = `schedule: its cron says "${given}", its date and time say "${derived}". Leave cron out, or write "date": {"type": "custom_cron", "cron": "${given}"}.`;
  throw invalidField('/schedule/cron', detail);
}

/** Throws for one that never comes, or is none. */
export function requireCron(cron: string): void {
  const problem = problemOfCron(cron);
  if (problem !== null) throw invalidField('/schedule/cron', `schedule: ${problem}`);
}

function cronOf({
  date: { type, days: given, cron },
  time: { type: at, interval, hours },
}: Omit<KeptSchedule, 'cron'>) {
  if (type === 'custom_cron' || type === 'interval_cron') {
    if (cron) return cron.trim().split(/\s+/).join(' ');
    throw invalidField(
      '/schedule/date/cron',
      `schedule: a date of type ${type} has a cron, such as "0 6 * * 1-5".`,
    );
  }
  const daysOfWeek = type === 'every_day' ? '*' : given?.toSorted((a, b) => a - b).join(',');
  if (!daysOfWeek) {
    throw invalidField(
      '/schedule/date/days',
      'schedule: name the days of the week, such as [1, 2, 3]; 0 is Sunday.',
    );
  }
  return `0 ${hoursOf(at, interval ?? 1, hours)} * * ${daysOfWeek}`;
}

function hoursOf(
  type: KeptSchedule['time']['type'],
  interval: number,
  hours: number[] | null | undefined,
): string {
  if (type === 'every_hour') return interval === 1 ? '*' : interval === 24 ? '0' : `*/${interval}`;
  if (hours && hours.length > 0) return hours.toSorted((a, b) => a - b).join(',');
  throw invalidField('/schedule/time/hours', 'schedule: name the hours, such as [6, 18].');
}

/** dbt Cloud itself chooses a minute within the hour, and names each day. */
function isSameButMinute(given: string, derived: string): boolean {
  const [minute = '', ...fields] = given.split(' ');
  const [, ...others] = derived.split(' ');
  const asDays = (each: string) => (each === '0,1,2,3,4,5,6' ? '*' : each);
  return /^\d+$/.test(minute) && fields.map(asDays).join(' ') === others.map(asDays).join(' ');
}
