import { command } from '../command.ts';
import { findJob } from '../find/job.ts';
import { jobArgument, projectOption } from '../options.ts';
import { sayDelivery, sent } from './webhook-deliveries.ts';

export const webhookTest = command({
  name: 'webhook test',
  summary: 'Send a test webhook for a job, and show the answer',
  arguments: { job: jobArgument },
  options: { project: projectOption },
  async run(shell, given) {
    const { path } = await findJob(shell, given.job, given.project);
    const delivery = await sent(shell, await shell.client().call('testWebhook', { path }));
    return sayDelivery(shell, delivery);
  },
});
