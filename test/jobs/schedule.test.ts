import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { problemOfCron, problemOfTimezone, timesOf } from '../../src/cron.ts';

const berlin = 'Europe/Berlin';
const newYork = 'America/New_York';

/** A schedule, a day on which the clock is changed, and when it comes that day: as the clock shows it, and in UTC. */
const changes: {
  what: string;
  cron: string;
  timezone: string;
  day: string;
  /** As the clock shows them; from 00:00 until 04:59 when left out. */
  hours?: [from: string, until: string];
  times: string[];
}[] = [
  {
    what: 'a time that the clock leaves out comes when it goes on',
    cron: '30 2 * * *',
    timezone: berlin,
    day: '2027-03-28',
    times: ['03:00 01:00Z'],
  },
  {
    what: 'several such times come once',
    cron: '*/20 2 * * *',
    timezone: berlin,
    day: '2027-03-28',
    times: ['03:00 01:00Z'],
  },
  {
    what: 'one that stands for the hour after as well comes once then',
    cron: '0,30 2,3 * * *',
    timezone: berlin,
    day: '2027-03-28',
    times: ['03:00 01:00Z', '03:30 01:30Z'],
  },
  {
    what: 'the times around the hour that is left out stay',
    cron: '30 1,3 * * *',
    timezone: berlin,
    day: '2027-03-28',
    times: ['01:30 00:30Z', '03:30 01:30Z'],
  },
  {
    what: 'a time that is shown twice comes the first time',
    cron: '30 2 * * *',
    timezone: berlin,
    day: '2026-10-25',
    times: ['02:30 00:30Z'],
  },
  {
    what: 'several such times come once each',
    cron: '*/20 2 * * *',
    timezone: berlin,
    day: '2026-10-25',
    times: ['02:00 00:00Z', '02:20 00:20Z', '02:40 00:40Z'],
  },
  {
    what: 'every other hour is no schedule for each hour',
    cron: '0 */2 * * *',
    timezone: berlin,
    day: '2026-10-25',
    times: ['00:00 22:00Z', '02:00 00:00Z', '04:00 03:00Z'],
  },
  {
    what: 'each hour comes each hour that is there in spring',
    cron: '0 * * * *',
    timezone: berlin,
    day: '2027-03-28',
    times: ['00:00 23:00Z', '01:00 00:00Z', '03:00 01:00Z', '04:00 02:00Z'],
  },
  {
    what: 'each hour comes each hour that is there in autumn',
    cron: '@hourly',
    timezone: berlin,
    day: '2026-10-25',
    times: ['00:00 22:00Z', '01:00 23:00Z', '02:00 00:00Z', '02:00 01:00Z', '03:00 02:00Z', '04:00 03:00Z'],
  },
  {
    what: 'each half hour likewise',
    cron: '*/30 * * * *',
    timezone: newYork,
    day: '2026-11-01',
    times: [
      '00:00 04:00Z',
      '00:30 04:30Z',
      '01:00 05:00Z',
      '01:30 05:30Z',
      '01:00 06:00Z',
      '01:30 06:30Z',
      '02:00 07:00Z',
      '02:30 07:30Z',
      '03:00 08:00Z',
      '03:30 08:30Z',
      '04:00 09:00Z',
      '04:30 09:30Z',
    ],
  },
  {
    what: 'left out in New York',
    cron: '30 2 * * *',
    timezone: newYork,
    day: '2027-03-14',
    times: ['03:00 07:00Z'],
  },
  {
    what: 'shown twice in New York',
    cron: '30 1 * * *',
    timezone: newYork,
    day: '2026-11-01',
    times: ['01:30 05:30Z'],
  },
  {
    what: 'midnight is no time that changes there',
    cron: '@daily',
    timezone: newYork,
    day: '2026-11-01',
    times: ['00:00 04:00Z'],
  },
  {
    what: 'the clock is set back over midnight in Beirut, to the day before',
    cron: '30 23 * * *',
    timezone: 'Asia/Beirut',
    day: '2026-10-24',
    hours: ['22:00', '23:59'],
    times: ['23:30 20:30Z'],
  },
  {
    what: 'and each hour comes twice there',
    cron: '0 * * * 6',
    timezone: 'Asia/Beirut',
    day: '2026-10-24',
    hours: ['22:00', '23:59'],
    times: ['22:00 19:00Z', '23:00 20:00Z', '23:00 21:00Z'],
  },
  {
    what: 'by half an hour on Lord Howe Island',
    cron: '15 2 * * *',
    timezone: 'Australia/Lord_Howe',
    day: '2026-10-04',
    times: ['02:30 15:30Z'],
  },
];

test.each(changes)('where the clock is changed, $what: $cron', ({ cron, timezone, day, hours, times }) => {
  const [from, until] = hours ?? ['00:00', '04:59'];
  const seen = timesFrom(cron, timezone, new Date(Date.parse(`${day}T00:00Z`) - 36 * 3_600_000), 400)
    .map((time) => ({ ...shown(time, timezone), utc: time.toISOString().slice(11, 16) }))
    .filter((time) => time.day === day && time.clock >= from && time.clock <= until)
    .map(({ clock, utc }) => `${clock} ${utc}Z`);
  expect(seen).toEqual(times);
});

test.each([
  ['0 6 L * *', ['2026-11-30', '2026-12-31', '2027-01-31']],
  ['0 6 * * 5L', ['2026-11-27', '2026-12-25', '2027-01-29']],
  ['0 6 29 2 *', ['2028-02-29', '2032-02-29', '2036-02-29']],
  ['0 6 1 1-12/6 *', ['2027-01-01', '2027-07-01', '2028-01-01']],
  ['0 6 * * MON-FRI', ['2026-11-23', '2026-11-24', '2026-11-25']],
  ['0 6 13 * 7', ['2026-11-29', '2026-12-06', '2026-12-13']],
  ['@yearly', ['2027-01-01', '2028-01-01', '2029-01-01']],
])('%s comes on its days', (cron, days) => {
  expect(problemOfCron(cron)).toBeNull();
  const times = timesFrom(cron, 'UTC', new Date('2026-11-22T12:00Z'), 3);
  expect(times.map((time) => time.toISOString().slice(0, 10))).toEqual(days);
});

const five = 'Write five fields';
test.each([
  ['', five],
  ['0 6 * *', five],
  ['0 0 6 * * *', 'none for seconds'],
  ['@reboot', 'Write @hourly'],
  ['61 6 * * *', 'The minute, "61"'],
  ['*/90 * * * *', 'The minute, "*/90"'],
  ['H 6 * * *', 'The minute, "H"'],
  ['1-5-7 6 * * *', 'The minute, "1-5-7"'],
  ['1,,2 6 * * *', 'The minute'],
  ['0 22-2 * * *', 'The hour, "22-2"'],
  ['0 6 0 * *', 'The day of month, "0"'],
  ['0 6 15W * *', 'The day of month, "15W"'],
  ['0 6 * FOO *', 'The month, "FOO"'],
  ['0 6 * * 8', 'The day of week, "8"'],
  ['0 6 30 2 *', 'never comes'],
  ['0 6 31 2,4,6 *', 'never comes'],
])('"%s" is refused, and the refusal says what to write', (cron, said) => {
  expect(problemOfCron(cron)).toContain(said);
});

test('a schedule that never comes is told at once, and one that comes in no month but on a weekday is one', () => {
  const began = performance.now();
  for (let asked = 0; asked < 100; asked += 1)
    expect(problemOfCron('0 0 31 2,4,6,9,11 *')).toContain('never comes');
  expect(performance.now() - began).toBeLessThan(2_000);
  for (const comes of ['0 0 31 2,4 1', '0 0 30,L 2 *', '0 0 29 2 *', '0 0 31 2,4 0-6'])
    expect(problemOfCron(comes)).toBeNull();
});

test('a timezone is a name of the IANA database', () => {
  for (const right of ['UTC', berlin, 'America/Argentina/Ushuaia'])
    expect(problemOfTimezone(right)).toBeNull();
  for (const wrong of ['', 'Berlin', '+02:00', 'Europe/Atlantis', 'CEST'])
    expect(problemOfTimezone(wrong)).toContain('Europe/Berlin');
});

const several = (from: number, to: number) =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min: 2, max: to }).map((step) => `*/${step}`),
    fc
      .uniqueArray(fc.integer({ min: from, max: to }), { minLength: 1, maxLength: 4 })
      .map((values) => values.join()),
  );
const anyCron = fc
  .tuple(several(0, 59), several(0, 23), several(1, 28), several(1, 12), several(0, 6))
  .map((fields) => fields.join(' '));
const anyTimezone = fc.constantFrom(
  berlin,
  newYork,
  'UTC',
  'Australia/Lord_Howe',
  'Asia/Beirut',
  'Asia/Kolkata',
);
/** Half of them within two days of a change of some clock. */
const anyTime = fc.oneof(
  fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
  fc
    .tuple(
      fc.constantFrom('2027-03-28', '2026-10-25', '2027-03-14', '2026-11-01', '2026-10-04', '2027-04-04'),
      fc.integer({ min: -48 * 60, max: 48 * 60 }),
    )
    .map(([day, minutes]) => new Date(Date.parse(day) + minutes * 60_000)),
);

test('the next time is later, is a whole minute, and nothing lies between', () => {
  fc.assert(
    fc.property(anyCron, anyTimezone, anyTime, (cron, timezone, from) => {
      const times = timesOf(cron, timezone);
      const [first, second] = timesFrom(cron, timezone, from, 2) as [Date, Date];
      expect(first.getTime()).toBeGreaterThan(from.getTime());
      expect(second.getTime()).toBeGreaterThan(first.getTime());
      expect(first.getTime() % 60_000).toBe(0);
      const between = new Date((from.getTime() + first.getTime()) / 2);
      expect(times.next(between)).toEqual(first);
    }),
    { numRuns: 400 },
  );
});

test('the latest time is the last one before, found without going through those between', () => {
  fc.assert(
    fc.property(
      anyCron,
      anyTimezone,
      anyTime,
      fc.integer({ min: 0, max: 40 }),
      (cron, timezone, from, more) => {
        const passed = timesFrom(cron, timezone, from, more + 2);
        const [due, last, next] = [passed[0]!, passed[more]!, passed[more + 1]!];
        const { latest } = timesOf(cron, timezone);
        expect(latest(due, last)).toEqual(last);
        expect(latest(due, new Date(next.getTime() - 1))).toEqual(last);
      },
    ),
    { numRuns: 100 },
  );
  const yearOfMinutes = timesOf('* * * * *', berlin);
  const until = new Date('2027-01-01T00:00:59Z');
  expect(yearOfMinutes.latest(new Date('2026-01-01T00:00Z'), until)).toEqual(new Date('2027-01-01T00:00Z'));
});

function timesFrom(cron: string, timezone: string, from: Date, count: number): Date[] {
  const { next } = timesOf(cron, timezone);
  const times: Date[] = [];
  for (let time = from; times.length < count;) times.push((time = next(time)));
  return times;
}

function shown(time: Date, timeZone: string): { day: string; clock: string } {
  const text = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(
    time,
  );
  return { day: text.slice(0, 10), clock: text.slice(11) };
}
