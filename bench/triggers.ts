import { spawnSync } from 'node:child_process';
import { Pool } from 'undici';
import { freePort } from '../scripts/setup/port.ts';
import { startRedisServer } from '../scripts/setup/redis-server.ts';
import { compare, quantile, type Report } from './figures.ts';
import { ready, startSystem, triggerPath, type Bench, type System } from './system.ts';

const connections = 20;
/** Of either server to Postgres: what dctl has when nothing is set. */
const databaseConnections = 10;
const body = { command_override: 'dbt build --select customers+', cause: 'new orders came in' };

/** What came of sending requests on all connections for a while. */
interface Burst {
  perSecond: number;
  p50: number;
  p99: number;
}

/** How many triggers a second are recorded, next to the least that any such API does: an Express route with one insert. */
export async function measureTriggers(
  bench: Bench,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<Report> {
  const report: Report = {
    lines: [],
    notes: [
      `${connections} connections, each sending its next request when the last was answered, ${rounds} times ${seconds} s on either side in turns; no worker. Both servers have ${databaseConnections} connections to the same Postgres, which waits for its disk at every commit.`,
    ],
    samples: {},
  };
  for (const [carrier, environment] of Object.entries(await queues(bench))) {
    const { ours, theirs } = await inTurns(bench, carrier, environment, { rounds, seconds });
    const of = (figure: keyof Burst) =>
      [ours.map((burst) => burst[figure]), theirs.map((burst) => burst[figure])] as const;
    const about = (what: string) => ({
      id: `triggers-${carrier.toLowerCase()}-${what}`,
      against: 'bare Express insert',
    });
    const suffix = `queue in ${carrier}`;
    report.lines.push(
      compare(
        {
          ...about('rate'),
          what: `triggers a second, ${suffix}`,
          unit: 'per s',
          aim: { figure: 'median', atLeast: 0.5 },
        },
        ...of('perSecond'),
      ),
      compare({ ...about('p50'), what: `a trigger's answer, p50, ${suffix}`, unit: 'ms' }, ...of('p50')),
      compare(
        {
          ...about('p99'),
          what: `a trigger's answer, p99, ${suffix}`,
          unit: 'ms',
          aim: { figure: 'median', atMost: 3 },
        },
        ...of('p99'),
      ),
    );
    for (const figure of ['perSecond', 'p50', 'p99'] as const) {
      const [mine, bare] = of(figure);
      report.samples[`dctl, ${suffix}, ${figure}`] = mine;
      report.samples[`bare, next to ${suffix}, ${figure}`] = bare;
    }
  }
  return report;
}

/** Where messages can be: Redis only on a machine that has it. */
async function queues(bench: Bench): Promise<Record<string, Record<string, string>>> {
  if (spawnSync('redis-server', ['--version']).status !== 0) {
    bench.say('triggers: no redis-server here, so the queue in Redis is left out');
    return { Postgres: {} };
  }
  const redis = await startRedisServer();
  bench.atEnd(() => redis.kill());
  return { Postgres: {}, Redis: { REDIS_URL: redis.url } };
}

async function inTurns(
  bench: Bench,
  carrier: string,
  environment: Record<string, string>,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<{ ours: Burst[]; theirs: Burst[] }> {
  const connectionsSetting = { DCTL_DATABASE_CONNECTIONS: String(databaseConnections) };
  const system = await startSystem(bench, { environment: { ...environment, ...connectionsSetting } });
  const jobId = await system.createJob({});
  const trigger = openLoad(bench, system.url, triggerPath(system, jobId), system.headers);
  const bare = openLoad(bench, await startBareServer(system), '/', {});
  const bursts = { ours: [] as Burst[], theirs: [] as Burst[] };
  for (let round = 0; round <= rounds; round += 1) {
    const ours = await trigger(round === 0 ? 1 : seconds);
    const theirs = await bare(round === 0 ? 1 : seconds);
    if (round === 0) continue; // to warm up
    bursts.ours.push(ours);
    bursts.theirs.push(theirs);
    const rates = `${ours.perSecond.toFixed(0)} a second, bare ${theirs.perSecond.toFixed(0)}`;
    bench.say(`triggers, queue in ${carrier}, ${round} of ${rounds}: ${rates}`);
  }
  return bursts;
}

/** Sends on all connections for a number of seconds. */
function openLoad(bench: Bench, url: string, path: string, headers: Record<string, string>) {
  const client = new Pool(url, { connections });
  bench.atEnd(() => client.destroy());
  const text = JSON.stringify(body);
  const send = async () => {
    const answer = await client.request({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', ...headers },
      body: text,
    });
    const answered = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`POST ${path} answered ${answer.statusCode}: ${answered}`);
  };
  return async (seconds: number): Promise<Burst> => {
    const took: number[] = [];
    const startedAt = performance.now();
    const deadline = startedAt + seconds * 1_000;
    const loop = async () => {
      for (let now = performance.now(); now < deadline;) {
        const sentAt = now;
        await send();
        now = performance.now();
        took.push(now - sentAt);
      }
    };
    await Promise.all(Array.from({ length: connections }, loop));
    const perSecond = (took.length * 1_000) / (performance.now() - startedAt);
    return { perSecond, p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
  };
}

async function startBareServer({ pool, databaseUrl, startService }: System): Promise<string> {
  await pool.query('CREATE TABLE bench_inserts (id uuid PRIMARY KEY, body jsonb NOT NULL)');
  const port = await freePort();
  const server = startService('bare-server', 'bench/bare-server.ts', {
    ...process.env,
    DATABASE_URL: databaseUrl,
    CONNECTIONS: String(databaseConnections),
    PORT: String(port),
  });
  const url = `http://127.0.0.1:${port}`;
  await ready(server, async () => (await fetch(url).catch(() => undefined)) !== undefined);
  return url;
}
