import { command } from '../command.ts';
import { findJob } from '../find/job.ts';
import { jobArgument, projectOption } from '../options.ts';
import { formatTime } from '../output/format.ts';
import type { Output } from '../output/output.ts';

export const webhookSecret = command({
  name: 'webhook secret',
  summary: "The secret that a job's webhooks are signed with; showing it is recorded in the audit log",
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
    if (shown.previous_until !== null)
      out.note(`The previous secret is valid until ${formatTime(shown.previous_until)}.`);
  });
}
