import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { until } from '../scripts/setup/processes.ts';
import { alone, type Report } from './figures.ts';
import { runToEnd, startSystem, type Bench } from './system.ts';

const aimMs = 100;

/** From a run's end, as it is recorded, to its webhook being here. */
export async function measureWebhook(bench: Bench, runs: number): Promise<Report> {
  const receiver = await openReceiver(bench);
  const system = await startSystem(bench);
  await system.startWorker();
  const jobId = await system.createJob({
    command: 'dbt run-operation hello',
    webhook_enabled: true,
    webhook_url: receiver.url,
  });
  const delays: number[] = [];
  for (let run = 0; run <= runs; run += 1) {
    const { runId } = await runToEnd(system, jobId);
    const arrived = await receiver.arrivalOf(runId);
    const { rows } = await system.pool.query<{ finished_at: Date }>(
      'SELECT finished_at FROM runs WHERE id = $1',
      [runId],
    );
    // The first is to warm up.
    if (run > 0) delays.push(arrived - (rows[0]?.finished_at.getTime() ?? NaN));
  }
  bench.say(`webhook: ${delays.length} arrived`);
  const aim = { figure: 'p95', atMost: aimMs } as const;
  return {
    lines: [alone({ id: 'webhook', what: 'end of run to webhook arrived', unit: 'ms', aim }, delays)],
    notes: [
      `${runs} runs, one after the other, to a receiver on this machine: from the run's \`finished_at\`, in whole milliseconds of Postgres' clock, to the whole request having arrived.`,
    ],
    samples: { ms: delays },
  };
}

async function openReceiver(bench: Bench) {
  const arrivals = new Map<string, number>();
  const server = createServer((request, response) => {
    json(request).then(
      (body) => {
        const at = performance.timeOrigin + performance.now();
        const id = (body as { conf?: { job_run?: { id?: string } } }).conf?.job_run?.id;
        if (id !== undefined) arrivals.set(id, at);
        response.writeHead(204).end();
      },
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  bench.atEnd(async () => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async arrivalOf(runId: string): Promise<number> {
      const arrived = await until(30_000, async () => arrivals.get(runId));
      if (arrived === undefined) throw new Error(`the webhook of run ${runId} did not arrive within 30 s`);
      return arrived;
    },
  };
}
