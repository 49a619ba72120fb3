import { command } from '../command.ts';
import { sayDelivery, sent } from './webhook-deliveries.ts';

export const webhookSendAgain = command({
  name: 'webhook send-again',
  summary: 'Send a webhook again, and show the answer',
  arguments: { delivery: { about: "a delivery's id, as dctl webhook deliveries shows it" } },
  async run(shell, given) {
    const path = { delivery_id: given.delivery };
    const delivery = await sent(shell, await shell.client().call('sendDeliveryAgain', { path }));
    return sayDelivery(shell, delivery);
  },
});
