import { compare, median, type Line, type Report } from './figures.ts';
import { fillWithRuns } from './many-runs.ts';
import { startSystem, triggerPath, type Bench, type System } from './system.ts';

const few = 1_000;
const aim = 1.2;
/** Requests in a row of which the median counts. */
const inARow = 25;
const pageSize = 50;
/** How deep into the list pages are asked for. */
const deepestPage = 10;

/** A request that a client sends; the number says which of many. */
type Ask = (number: number) => Promise<unknown>;

/** What requests take on a server that has run a thousand times, and on one that has run far more often, in turns. */
export async function measureHistory(
  bench: Bench,
  { many, rounds }: { many: number; rounds: number },
): Promise<Report> {
  const [ours, theirs] = [await filled(bench, many), await filled(bench, few)];
  const lines: Line[] = [];
  const samples: Record<string, number[]> = {};
  for (const what of ['trigger', 'get a run', 'a page of the list'] as const) {
    const taken = { many: [] as number[], few: [] as number[] };
    for (let round = 0; round <= rounds; round += 1) {
      const inTurn = [
        async () => [taken.many, await medianOf(ours[what])] as const,
        async () => [taken.few, await medianOf(theirs[what])] as const,
      ];
      for (const measureOne of round % 2 === 0 ? inTurn : inTurn.toReversed()) {
        const [samplesOfOne, milliseconds] = await measureOne();
        if (round > 0) samplesOfOne.push(milliseconds); // the first is to warm up
      }
    }
    const about = {
      id: `history-${what.replaceAll(' ', '-')}`,
      what: `${what}, with ${many.toLocaleString('en')} runs`,
      against: `with ${few.toLocaleString('en')}`,
      unit: 'ms' as const,
      aim: { figure: 'median' as const, atMost: aim },
    };
    lines.push(compare(about, taken.many, taken.few));
    samples[`${what}, many`] = taken.many;
    samples[`${what}, few`] = taken.few;
    bench.say(`${about.what}: measured`);
  }
  return {
    lines,
    notes: [
      `One request at a time; a sample is the median of ${inARow} in a row, and the two servers take turns. Runs are picked from the whole history; pages hold ${pageSize} runs and are the first ${deepestPage} of the list.`,
    ],
    samples,
  };
}

/** A server with so many runs, no worker, and the requests to be sent to it. */
async function filled(bench: Bench, count: number): Promise<Record<string, Ask>> {
  const system = await startSystem(bench);
  bench.say(`making ${count.toLocaleString('en')} runs`);
  await fillWithRuns(system.pool, count);
  const { rows } = await system.pool.query<{ id: string }>('SELECT id FROM runs ORDER BY md5(id) LIMIT 500');
  // The one that has run most often.
  const { rows: jobs } = await system.pool.query<{ id: string }>(
    'SELECT job_id AS id FROM runs GROUP BY job_id ORDER BY count(*) DESC, job_id LIMIT 1',
  );
  const pages = await firstPages(system);
  const { client } = system;
  return {
    trigger: () => client.call('POST', triggerPath(system, jobs[0]?.id ?? ''), {}),
    'get a run': (number) => client.call('GET', `/api/v1/runs/${rows[number % rows.length]?.id}`),
    'a page of the list': (number) => client.call('GET', pages[number % pages.length] ?? ''),
  };
}

async function firstPages({ client }: System): Promise<string[]> {
  const first = `/api/v1/runs?limit=${pageSize}`;
  const pages = [first];
  while (pages.length < deepestPage) {
    const { next_cursor: cursor } = await client.call<{ next_cursor: string | null }>(
      'GET',
      pages.at(-1) ?? '',
    );
    if (cursor === null) break;
    pages.push(`${first}&cursor=${encodeURIComponent(cursor)}`);
  }
  return pages;
}

let sent = 0;

async function medianOf(ask: Ask | undefined): Promise<number> {
  const took: number[] = [];
  for (let request = 0; request < inARow; request += 1) {
    const startedAt = performance.now();
    await ask?.((sent += 1));
    took.push(performance.now() - startedAt);
  }
  return median(took);
}
