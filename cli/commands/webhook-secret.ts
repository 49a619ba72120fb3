import { command } from '../command.ts';
import { findJob } from '../find/job.ts';
import { jobArgument, projectOption } from '../options.ts';
import type { Output } from '../output/output.ts';

export const webhookSecret = command({
  name: 'webhook secret',
  summary: "The secret that a job's webhooks are signed with; who asked is noted",
  arguments: { job: jobArgument },
  options: { project: projectOption },
  async run(shell, given) {
    const { path } = await findJob(shell, given.job, given.project);
    saySecret(shell.out, await shell.client().call('revealWebhookSecret', { path }));
  },
});

export function saySecret(
  out: Output,
  shown: { webhook_secret: string; previous_until: string | null },
): void {
  out.answer(shown, () => {
    out.say(shown.webhook_secret);
    if (shown.previous_until !== null) out.note(`The one before is good until ${shown.previous_until}.`);
  });
}
