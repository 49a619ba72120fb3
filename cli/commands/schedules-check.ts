import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { formatAgo, formatTime } from '../output/format.ts';
import { wholeNumber } from '../values.ts';

export const schedulesCheck = command({
  name: 'schedules check',
  summary: 'The next times of a schedule',
  examples: ['dctl schedules check "0 6 * * 1-5" --timezone Europe/Berlin'],
  arguments: { cron: { about: 'five fields in quotes, or @daily and the like' } },
  options: {
    timezone: { about: 'timezone of the schedule, such as Europe/Berlin (UTC)', value: 'ZONE' },
    times: { about: 'how many times to show (5)', value: 'N', short: 'n', parse: wholeNumber(1, 20) },
  },
  async run(shell, { cron, timezone, times = 5 }) {
    const { out } = shell;
    const body = { cron, count: times, ...(timezone === undefined ? {} : { timezone }) };
    const checked = await shell.client().call('checkSchedule', { body });
    if (!checked.accepted) throw new UsageError(checked.problems.map(({ detail }) => detail).join('\n  '));
    out.answer(checked.next_times, () => {
      for (const time of checked.next_times)
        out.say(`${formatTime(time, timezone)}  ${out.paint('dim', formatAgo(time))}`);
    });
  },
});
