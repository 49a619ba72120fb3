import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '../../client/index.ts';
import { command } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { findJob } from '../find/job.ts';
import { jobArgument, limitOption, projectOption } from '../options.ts';
import { formatAgo } from '../output/format.ts';
import type { Style } from '../output/output.ts';
import { plain } from '../output/plain.ts';
import { newest } from '../find/take.ts';
import type { Shell } from '../shell.ts';

type Delivery = Answer<'getDelivery'>;

const lookMs = 250;
/** Longer than two tries take. */
const patienceMs = 30_000;

export const webhookDeliveries = command({
  name: 'webhook deliveries',
  summary: "A job's webhook deliveries, and the result of each try",
  arguments: { job: jobArgument },
  options: {
    limit: limitOption,
    project: projectOption,
  },
  async run(shell, given) {
    const { path } = await findJob(shell, given.job, given.project);
    const client = shell.client();
    const found = await newest(given.limit, (query) => client.items('listDeliveries', { path, query }));
    shell.out.list(found, {
      none: 'No webhooks were sent yet.',
      heads: ['DELIVERY', 'STATE', 'ANSWER', 'WHEN', 'EVENT', 'RUN'],
      row: (each) => [
        each.id,
        { text: each.state, style: styleOf(each.state) },
        each.tries.map(answerOf).join(', '),
        formatAgo(each.created_at),
        each.event,
        each.run_id ?? each.kind,
      ],
    });
  },
});

/** The delivery once nothing more will be sent of it, or after a while. */
export async function sent(shell: Shell, { id }: { id: string }): Promise<Delivery> {
  const client = shell.client();
  for (const startedAt = Date.now(); ;) {
    const delivery = await client.call('getDelivery', { path: { delivery_id: id } });
    const isGoingOn = ['held', 'pending', 'sending'].includes(delivery.state);
    if (!isGoingOn || Date.now() - startedAt > patienceMs) return delivery;
    await delay(lookMs, undefined, { signal: shell.signal });
  }
}

export function sayDelivery({ out }: Shell, delivery: Delivery): ExitCode {
  out.answer(delivery, () => {
    out.say(`${out.paint(styleOf(delivery.state), delivery.state)}  ${plain(delivery.url)}`);
    for (const each of delivery.tries) {
      const duration = each.duration_ms === null ? '' : ` in ${each.duration_ms} ms`;
      out.say(`  Try ${each.number}: ${answerOf(each)}${duration}. ${plain(each.explanation ?? '')}`);
      if (each.answer) out.say(`    ${plain(each.answer)}`);
    }
  });
  return delivery.state === 'delivered' ? exitCodes.success : exitCodes.failed;
}

function answerOf({ status_code: status, result }: Delivery['tries'][number]): string {
  return status === null ? (result ?? 'going on') : String(status);
}

function styleOf(state: Delivery['state']): Style {
  if (state === 'delivered') return 'green';
  return ['failed', 'blocked', 'unknown'].includes(state) ? 'red' : 'cyan';
}
