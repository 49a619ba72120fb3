import { confirm } from '../ask.ts';
import { command } from '../command.ts';
import { findJob } from '../find/job.ts';
import { jobArgument, projectOption, yesOption } from '../options.ts';
import { wholeNumber } from '../values.ts';
import { saySecret } from './webhook-secret.ts';

export const webhookRotateSecret = command({
  name: 'webhook rotate-secret',
  summary: "Create a new secret for a job's webhooks; for a while they are signed with both",
  arguments: { job: jobArgument },
  options: {
    overlap: {
      about: 'how long the old one stays valid, in hours; 0: not at all',
      value: 'HOURS',
      parse: wholeNumber(0, 8_760),
    },
    yes: yesOption,
    project: projectOption,
  },
  async run(shell, given) {
    const { path, job } = await findJob(shell, given.job, given.project);
    await confirm(shell, `Create a new webhook secret for ${job.name}?`, given.yes);
    const body = given.overlap === undefined ? {} : { overlap_hours: given.overlap };
    saySecret(shell.out, await shell.client().call('rotateWebhookSecret', { path, body }));
  },
});
