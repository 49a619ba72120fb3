import { createServer, type Server, type ServerResponse } from 'node:http';
import { Gauge } from 'prom-client';
import type { Context } from '../src/context.ts';
import { AppError } from '../src/errors.ts';
import { listenAt } from '../src/port.ts';
import { database, requireReady, type Part } from '../src/readiness.ts';
import { openScrape } from '../src/scrape.ts';
import type { Executor } from './executors/executor.ts';

/** Serves a worker's health, and what only it can count, at DCTL_WORKER_PORT. Undefined: no port is set. Throws `NoPort`. */
export async function serveMetrics(context: Context, executor: Executor): Promise<Server | undefined> {
  const { config, log, metrics } = context;
  if (config.DCTL_WORKER_PORT === undefined) return undefined;
  const { runWaits, runDurations, runsEnded, runsAtWork, deliveriesEnded, deliveryTries } = metrics;
  const { warmContainers, warmMemory, warmTaken, warmDropped } = metrics;
  const ofRuns = [runWaits, runDurations, runsEnded, runsAtWork, places(config.DCTL_WORKER_CONCURRENCY)];
  const ofWarm = [warmContainers, warmMemory, warmTaken, warmDropped];
  const scrape = openScrape(context, [...ofRuns, ...ofWarm, deliveriesEnded, deliveryTries], []);

  const answers: Record<
    string,
    (authorization: string | undefined) => Promise<[type: string, text: string]>
  > = {
    '/livez': async () => ok,
    '/readyz': async () => {
      await requireReady([database(context), engine(executor)]);
      return ok;
    },
    '/metrics': async (authorization) => [scrape.contentType, await scrape.text(authorization)],
  };
  const server = createServer((request, response) => {
    const answer = answers[(request.url ?? '').split('?')[0] ?? ''] ?? nothingHere;
    answer(request.headers.authorization)
      .then(([type, text]) => response.writeHead(200, { 'Content-Type': type }).end(text))
      .catch((error: unknown) => {
        if (!(error instanceof AppError)) log.error({ error }, 'a request failed unexpectedly');
        refuse(response, error);
      });
  });
  await listenAt(server, 'DCTL_WORKER_PORT', config);
  log.info({ address: server.address() }, 'serving metrics');
  return server;
}

const ok: [string, string] = ['application/json', '{"status":"ok"}'];

async function nothingHere(): Promise<never> {
  throw new AppError('not_found', 'A worker answers /livez, /readyz and /metrics.');
}

function refuse(response: ServerResponse, error: unknown): void {
  const { status, title, message, problems } =
    error instanceof AppError
      ? error
      : { status: 500, title: 'Something went wrong on our side', message: '', problems: [] };
  response
    .writeHead(status, { 'Content-Type': 'application/problem+json' })
    .end(JSON.stringify({ title, status, detail: message, errors: problems }));
}

function engine(executor: Executor): Part {
  return {
    pointer: 'engine',
    detail: 'The Docker engine does not answer (DOCKER_HOST).',
    look: async () => void (await executor.list()),
  };
}

function places(concurrency: number): Gauge {
  const gauge = new Gauge({
    name: 'dctl_run_places',
    help: 'Runs that this worker can execute at once.',
    registers: [],
  });
  gauge.set(concurrency);
  return gauge;
}
