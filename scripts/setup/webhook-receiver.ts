import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { until } from './processes.ts';

export interface ReceivedWebhook {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface WebhookReceiver {
  url: string;
  /** The webhook of this run; undefined when none comes in time. */
  wait(runId: string, timeoutMs: number): Promise<ReceivedWebhook | undefined>;
  close(): void;
}

/** A webhook receiver on a free port of this machine. */
export async function openWebhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const server = createServer((request, response) => {
    buffer(request).then(
      (body) => {
        received.push({ headers: request.headers, body });
        response.writeHead(204).end();
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/dbt-finished`,
    wait: (runId, timeoutMs) =>
      until(timeoutMs, async () => received.find((webhook) => runOf(webhook) === runId)),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function runOf({ body }: ReceivedWebhook): string | undefined {
  try {
    return (JSON.parse(body.toString()) as { conf?: { job_run?: { id?: string } } }).conf?.job_run?.id;
  } catch {
    return undefined;
  }
}

/** Checks both signatures the way a receiver would; a sentence about the one that is wrong, else undefined. */
export function findForgery({ headers, body }: ReceivedWebhook, secret: string): string | undefined {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  const given = Buffer.from(String(headers['x-dagctl-signature']));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return "the webhook's X-Dagctl-Signature does not match its body";
  }
  try {
    new Webhook(secret).verify(body.toString(), headers as Record<string, string>);
  } catch (error) {
    return `the webhook's Standard Webhooks signature is refused (${error instanceof Error ? error.message : 'unknown'})`;
  }
  return undefined;
}
