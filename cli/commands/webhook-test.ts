import { command } from '../command.ts';
import { findJob } from '../find/job.ts';
import { jobArgument, projectOption } from '../options.ts';
import { sayDelivery, sent } from './webhook-deliveries.ts';

export const webhookTest = command({
  name: 'webhook test',
  summary: "Send a test to where a job's webhooks go, and show what came back",
  arguments: { job: jobArgument },
  options: { project: projectOption },
  async run(shell, given) {
    const { path } = await findJob(shell, given.job, given.project);
    const delivery = await sent(shell, await shell.client().call('testWebhook', { path }));
    return sayDelivery(shell, delivery);
  },
});
