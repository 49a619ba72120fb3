import { Pool } from 'undici';
import { freePort } from '../scripts/setup/port.ts';
import { milliseconds, quantile, times, type Report } from './figures.ts';
import { ready, startSystem, triggerPath, type Bench, type System } from './system.ts';

/** Each of them has twenty others in flight. */
const atOnce = 21;

/** Sends a round of requests at once and answers how long each took, in milliseconds. */
type Round = () => Promise<number[]>;

/** How fast a trigger answers, next to the least that any such API does: an Express route with one insert. */
export async function measureTrigger(bench: Bench, rounds: number): Promise<Report> {
  const system = await startSystem(bench);
  // `dbt parse` needs no database of its own, so four of them can keep the worker busy side by side.
  const jobId = await system.createJob({ command: 'dbt parse', max_parallel_runs: 4 });
  const trigger = roundOf(bench, system.url, triggerPath(system, jobId), system.headers, {});
  const bare = roundOf(bench, await startBareServer(system), '/', {}, {});

  const stopped = await inTurns(rounds, trigger, bare);
  bench.say('triggers with the worker stopped: measured');
  const worker = await system.startWorker();
  await ready(worker, async () => (await countRunning(system)) >= 4);
  const busy = await inTurns(rounds, trigger, bare);
  bench.say('triggers with the worker busy: measured');
  if ((await countRunning(system)) === 0)
    throw new Error('the worker ran out of work while it should be busy');

  return {
    title: `Trigger: time to the answer while ${atOnce - 1} others are in flight`,
    rows: [rowsOf('worker stopped', stopped), rowsOf('worker busy', busy)].flat(),
    notes: ['The bare route inserts one row of a small table through pg, on the same database.'],
    samples: {
      'trigger, worker stopped': stopped.trigger,
      'bare route, worker stopped': stopped.bare,
      'trigger, worker busy': busy.trigger,
      'bare route, worker busy': busy.bare,
    },
  };
}

function rowsOf(when: string, { trigger, bare }: { trigger: number[]; bare: number[] }) {
  const shares = { p50: 0.5, p99: 0.99 };
  const row = (name: string, cell: (share: number) => string) => ({
    name: `${when}: ${name}`,
    ...Object.fromEntries(Object.entries(shares).map(([column, share]) => [column, cell(share)])),
  });
  return [
    row('trigger', (share) => milliseconds(quantile(trigger, share))),
    row('bare route', (share) => milliseconds(quantile(bare, share))),
    row('ratio', (share) => times(quantile(trigger, share) / quantile(bare, share))),
  ];
}

async function inTurns(rounds: number, trigger: Round, bare: Round) {
  const samples = { trigger: [] as number[], bare: [] as number[] };
  for (let round = -2; round < rounds; round += 1) {
    const [triggered, inserted] = [await trigger(), await bare()];
    if (round < 0) continue; // to warm up
    samples.trigger.push(...triggered);
    samples.bare.push(...inserted);
  }
  return samples;
}

function roundOf(
  bench: Bench,
  url: string,
  path: string,
  headers: Record<string, string>,
  body: unknown,
): Round {
  const client = new Pool(url, { connections: atOnce });
  bench.atEnd(() => client.destroy());
  const send = async () => {
    const startedAt = performance.now();
    const answer = await client.request({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`POST ${path} answered ${answer.statusCode}: ${text}`);
    return performance.now() - startedAt;
  };
  return () => Promise.all(Array.from({ length: atOnce }, send));
}

async function startBareServer({ pool, databaseUrl, startService }: System): Promise<string> {
  await pool.query('CREATE TABLE bench_inserts (id uuid PRIMARY KEY, body jsonb NOT NULL)');
  const port = await freePort();
  const server = startService('bare-server', 'bench/bare-server.ts', {
    ...process.env,
    DATABASE_URL: databaseUrl,
    PORT: String(port),
  });
  const url = `http://127.0.0.1:${port}`;
  await ready(server, async () => (await fetch(url).catch(() => undefined)) !== undefined);
  return url;
}

async function countRunning({ pool }: System): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM runs WHERE status = 'running' AND launched_at IS NOT NULL`,
  );
  return rows[0]?.count ?? 0;
}
