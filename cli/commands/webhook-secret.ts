import { confirm } from '../ask.ts';
import { command } from '../command.ts';
import { findJob } from '../find/job.ts';
import { jobArgument, projectOption } from '../options.ts';
import { wholeNumber } from '../values.ts';

export const webhookSecret = command({
  name: 'webhook secret',
  summary: "The secret that a job's webhooks are signed with; who asked is noted",
  arguments: { job: jobArgument },
  options: {
    rotate: { about: 'make a new one; for a while webhooks are signed with both' },
    overlap: {
      about: 'how long the old one stays good, in hours',
      value: 'HOURS',
      parse: wholeNumber(0, 8_760),
    },
    yes: { about: 'without asking', short: 'y' },
    project: projectOption,
  },
  async run(shell, given) {
    const { out } = shell;
    const { path, job } = await findJob(shell, given.job, given.project);
    if (given.rotate) await confirm(shell, `Make a new webhook secret for ${job.name}?`, given.yes);
    const client = shell.client();
    const body = given.overlap === undefined ? {} : { overlap_hours: given.overlap };
    const shown = given.rotate
      ? await client.call('rotateWebhookSecret', { path, body })
      : await client.call('revealWebhookSecret', { path });
    out.answer(shown, () => {
      out.say(shown.webhook_secret);
      if (shown.previous_until !== null) out.note(`The one before is good until ${shown.previous_until}.`);
    });
  },
});
