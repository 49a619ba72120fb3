import { CronExpressionParser, type CronExpression } from 'cron-parser';

/** The times of a schedule. All of them whole minutes. */
export interface Times {
  /** The first one after an instant. */
  next(after: Date): Date;
  /** The last one that is not after `until`. `due`: one of the times, and not after `until` either. */
  latest(due: Date, until: Date): Date;
}

/**
 * Where the clock is changed, what the users of cron expect holds:
 *
 * - A time that the clock leaves out comes once, when the clock goes on: in Berlin `30 2 * * *` at 03:00 in spring. So do
 *   several: `0,30 2 * * *` comes once that day.
 * - A time that the clock shows twice comes once, the first time it is shown: `30 2 * * *` at 02:30 summer time.
 * - A schedule for each of the 24 hours follows real time: `0 * * * *` comes once in each hour that is there, twice where
 *   the clock shows one twice.
 *
 * Throws what `problemOfCron` and `problemOfTimezone` would say.
 */
export function timesOf(cron: string, timezone: string): Times {
  const expression = parse(cron);
  const clock = clockIn(timezone);
  const isHourly = expression.fields.hour.values.length === 24;

  const wallAfter = (wall: number): number => {
    expression.reset(new Date(wall));
    return expression.next().getTime();
  };

  const nextOf = (after: number): number => {
    const wallThen = clock.at(after);
    if (isHourly && clock.at(after + back) < wallThen + back) {
      const again = shownAgain(after, wallThen);
      if (again !== null) return again;
    }
    for (let wall = wallAfter(wallThen); ; wall = wallAfter(wall)) {
      const shown = clock.timesOf(wall);
      if (isHourly) {
        const coming = shown.find((time) => time > after);
        if (coming !== undefined) return coming;
      } else {
        const time = shown[0] ?? clock.endOfGap(wall);
        if (time > after) return time;
      }
    }
  };

  /** The clock is about to be set back: what it has shown already and will show once more. */
  const shownAgain = (after: number, wallThen: number): number | null => {
    for (let wall = wallAfter(wallThen - back); wall <= wallThen; wall = wallAfter(wall)) {
      const again = clock.timesOf(wall).find((time) => time > after);
      if (again === undefined) continue;
      const ahead = clock.timesOf(wallAfter(wallThen)).find((time) => time > after);
      return Math.min(again, ahead ?? again);
    }
    return null;
  };

  return {
    next: (after) => new Date(nextOf(after.getTime())),
    latest: (due, until) => {
      let found = due.getTime();
      for (let end = until.getTime(); end - found >= minute;) {
        const middle = Math.floor((found + end) / 2);
        const time = nextOf(middle);
        if (time <= until.getTime()) found = time;
        else end = middle;
      }
      return new Date(found);
    },
  };
}

/** What is wrong with a cron, in a sentence that says what to write instead; null when it is right. */
export function problemOfCron(cron: string): string | null {
  if (cron.startsWith('@')) {
    return nicknames.has(cron)
      ? null
      : `Write ${[...nicknames.keys()].join(', ')}, or five fields such as "0 6 * * 1-5".`;
  }
  const texts = cron.trim().split(/\s+/);
  if (texts.length !== fields.length) {
    const seconds = texts.length === 6 ? ' There is none for seconds.' : '';
    return `Write five fields (minute, hour, day of month, month, day of week), such as "0 6 * * 1-5".${seconds}`;
  }
  for (const [place, field] of fields.entries()) {
    const text = texts[place]!;
    if (isRight(field, text, place)) continue;
    return `The ${field.name}, "${text}", is not right: write ${field.example}.`;
  }
  const never =
    'This time never comes: no such day is in the month. Write one that comes, such as "0 6 1 * *".';
  try {
    const expression = parse(cron);
    // The parser looks for long until it gives up.
    if (isInNoMonth(expression)) return never;
    expression.next();
    return null;
  } catch {
    return never;
  }
}

const daysOfMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Where the day of the week does not say more. */
function isInNoMonth({ fields: { dayOfMonth, dayOfWeek, month } }: CronExpression): boolean {
  const first = Math.min(...dayOfMonth.values.map((day) => (day === 'L' ? 1 : day)));
  return dayOfWeek.isWildcard && month.values.every((each) => first > daysOfMonths[each - 1]!);
}

/** What is wrong with the name of a timezone, in a sentence; null when it is right. */
export function problemOfTimezone(timezone: string): string | null {
  if (/^[a-z]/i.test(timezone)) {
    try {
      clockIn(timezone);
      return null;
    } catch {
      // Not known: said below.
    }
  }
  return 'There is no such timezone. Write a name of the IANA database, such as Europe/Berlin, or UTC.';
}

const minute = 60_000;
const hour = 60 * minute;
/** No clock is set back by more. */
const back = 3 * hour;

const nicknames = new Map([
  ['@hourly', '0 * * * *'],
  ['@daily', '0 0 * * *'],
  ['@weekly', '0 0 * * 0'],
  ['@monthly', '0 0 1 * *'],
  ['@yearly', '0 0 1 1 *'],
]);

interface Field {
  name: string;
  max: number;
  /** What stands for a single value. */
  value: string;
  example: string;
}

const fields: Field[] = [
  { name: 'minute', max: 59, value: '\\d+', example: '0 to 59, such as 30, or 0,30, or */15' },
  { name: 'hour', max: 23, value: '\\d+', example: '0 to 23, such as 6, or 6,18, or 8-17' },
  {
    name: 'day of month',
    max: 31,
    value: '\\d+|L',
    example: '1 to 31, such as 1, or 1,15, or L for the last one',
  },
  {
    name: 'month',
    max: 12,
    value: '\\d+|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec',
    example: '1 to 12, such as 1, or 1-6, or JAN,JUL',
  },
  {
    name: 'day of week',
    max: 7,
    value: '\\d+#\\d|\\dL|\\d+|sun|mon|tue|wed|thu|fri|sat',
    example: '0 to 7 (Sunday is 0 and 7), such as 1-5, or MON, or 5L for the last Friday',
  },
];

function isRight({ value, max }: Field, text: string, place: number): boolean {
  const part = new RegExp(`^(?:\\*|(?:${value})(?:-(?:${value}))?)(?:/(\\d+))?$`, 'i');
  for (const each of text.split(',')) {
    const [whole, step = '1'] = part.exec(each) ?? [];
    // No step is wider than its field: every 90 minutes would come at each full hour.
    if (whole === undefined || Number(step) > max) return false;
  }
  try {
    CronExpressionParser.parse(fields.map((_, at) => (at === place ? text : '*')).join(' '));
    return true;
  } catch {
    return false;
  }
}

/** Of the wall clock alone: what it means where the clock is changed is said above, not in the parser. */
function parse(cron: string): CronExpression {
  return CronExpressionParser.parse(nicknames.get(cron) ?? cron, { tz: 'UTC' });
}

/** What a wall clock there shows. Its times are milliseconds, counted as if the clock hung in UTC. */
function clockIn(timezone: string) {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: timezone,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const at = (time: number): number => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    const seconds = Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    );
    return seconds + (((time % 1_000) + 1_000) % 1_000);
  };
  const offsetAt = (time: number): number => at(time) - time;
  const day = 24 * hour;

  return {
    at,
    /** When it shows this: once, twice in the hour that comes twice, never in the one that is left out. */
    timesOf(wall: number): number[] {
      const before = wall - offsetAt(wall - day);
      const after = wall - offsetAt(wall + day);
      return [...new Set([before, after])].filter((time) => at(time) === wall).toSorted((a, b) => a - b);
    },
    /** When it goes on, after it left out what it would have shown. */
    endOfGap(wall: number): number {
      let [early, late] = [wall - day, wall + day];
      const offset = offsetAt(early);
      while (late - early > 1) {
        const middle = Math.floor((early + late) / 2);
        if (offsetAt(middle) === offset) early = middle;
        else late = middle;
      }
      return late;
    },
  };
}
