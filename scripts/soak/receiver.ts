import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { randomOf } from './random.ts';

export interface CountingReceiver {
  url: string;
  hits: { webhookId: string; runId: string }[];
  close(): Promise<void>;
}

/** Counts every webhook that arrives, whatever becomes of its answer; fails some, and is slow at times. */
export async function openCountingReceiver(seed: number): Promise<CountingReceiver> {
  const random = randomOf(seed, 'receiver');
  const hits: CountingReceiver['hits'] = [];
  const server = createServer(async (request, response) => {
    try {
      const body = JSON.parse((await buffer(request)).toString()) as { conf: { job_run: { id: string } } };
      hits.push({ webhookId: String(request.headers['webhook-id']), runId: body.conf.job_run.id });
      await delay(random.between(0, 300));
      response.writeHead(random.isHit(0.1) ? 500 : 204).end();
    } catch {
      response.destroy(); // Whoever sent it is gone.
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/dbt-finished`,
    hits,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
