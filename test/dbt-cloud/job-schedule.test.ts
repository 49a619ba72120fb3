import { describe, expect, test } from '@jest/globals';
import {
  changedSchedule,
  noSchedule,
  scheduleForm,
  scheduleOfCron,
} from '../../src/dbt-cloud/job-schedule.ts';

const changed = (form: object, shown = noSchedule) => changedSchedule(scheduleForm.parse(form), shown);
const everyHour = { type: 'every_hour', interval: 1 };
const everyDay = { type: 'every_day' };

describe("the cron of dbt Cloud's schedules", () => {
  test.each([
    [{ date: everyDay, time: everyHour }, '0 * * * *'],
    [{ date: everyDay, time: { type: 'every_hour', interval: 6 } }, '0 */6 * * *'],
    [{ date: everyDay, time: { type: 'every_hour', interval: 24 } }, '0 0 * * *'],
    [{ date: everyDay, time: { type: 'at_exact_hours', hours: [18, 6] } }, '0 6,18 * * *'],
    [
      { date: { type: 'days_of_week', days: [5, 1] }, time: { type: 'at_exact_hours', hours: [7] } },
      '0 7 * * 1,5',
    ],
    [{ date: { type: 'days_of_week', days: [0] }, time: { type: 'every_hour', interval: 2 } }, '0 */2 * * 0'],
    [{ date: { type: 'custom_cron', cron: '15  4 * * *' }, time: everyHour }, '15 4 * * *'],
    [{ date: { type: 'interval_cron', cron: '*/15 * * * *' }, time: everyHour }, '*/15 * * * *'],
    [{ date: 'every_day', time: 'every_hour' }, '0 * * * *'],
    [{ cron: '5 4 * * *' }, '5 4 * * *'],
    [
      { cron: '9 */12 * * 0,1,2,3,4,5,6', date: everyDay, time: { type: 'every_hour', interval: 12 } },
      '9 */12 * * 0,1,2,3,4,5,6',
    ],
    [{ cron: '0 6 * * *', date: everyDay, time: everyHour }, '0 6 * * *'],
  ])('%j is %s', (form, cron) => {
    expect(changed(form).cron).toBe(cron);
  });

  test('comes from the part that was changed, when the other one is sent back as it was shown', () => {
    const shown = changed({ date: everyDay, time: { type: 'at_exact_hours', hours: [6] } });
    const time = { type: 'at_exact_hours', hours: [7] };
    expect(changed({ ...shown, time }, shown)).toMatchObject({ cron: '0 7 * * *', time });
    expect(changed({ ...shown, cron: '30 8 * * 1' }, shown)).toEqual(scheduleOfCron('30 8 * * 1'));
  });

  test.each([
    [
      { cron: '0 6 * * *', date: { type: 'days_of_week', days: [1] }, time: everyHour },
      /cron says "0 6 \* \* \*"/,
    ],
    [{ cron: '0 6 * * *', date: { type: 'custom_cron', cron: '0 7 * * *' } }, /cron says/],
    [{ date: { type: 'days_of_week', days: [] }, time: everyHour }, /name the days/],
    [{ date: everyDay, time: { type: 'at_exact_hours', hours: [] } }, /name the hours/],
    [{ date: { type: 'custom_cron' }, time: everyHour }, /has a cron/],
  ])('of %j is not known', (form, sentence) => {
    expect(() => changed(form)).toThrow(sentence);
  });
});
