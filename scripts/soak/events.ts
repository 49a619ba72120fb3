// Sends events to a dctl at a steady rate, then asks it what became of each: `node scripts/soak/events.ts --help`.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const usage = `Usage: DCTL_TOKEN=dctl_... node scripts/soak/events.ts --job JOB_ID [options]

  --job      the job that runs: one that costs little
  --url      of the server (http://127.0.0.1:3000)
  --minutes  how long events are sent (5)
  --rate     events a minute (1000)
  --window   seconds for which they are gathered (60)

The token needs the scope admin: a source and a rule are made, and deleted at the end. One event in ten matches no rule,
and one in fifty is sent twice.`;

const { values } = parseArgs({
  options: {
    job: { type: 'string', default: '' },
    url: { type: 'string', default: 'http://127.0.0.1:3000' },
    minutes: { type: 'string', default: '5' },
    rate: { type: 'string', default: '1000' },
    window: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
});
const token = process.env['DCTL_TOKEN'] ?? '';
const [minutes, rate, windowSeconds] = [Number(values.minutes), Number(values.rate), Number(values.window)];
if (values.help || values.job === '' || token === '' || !(minutes > 0 && rate > 0 && windowSeconds > 0)) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}

const name = `soak ${new Date().toISOString()}`;
const source = await api<{ id: string; secret: string }>('POST', '/event-sources', { name, auth: 'token' });
const rule = await api<{ id: string }>('POST', '/event-rules', {
  name,
  source_id: source.id,
  job_id: values.job,
  conditions: [{ variable_name: 'rows', operation: 'GREATER_THAN', value: 0 }],
  window_seconds: windowSeconds,
  cause: '${{received.COUNT}} events of ${{received.SOURCE}}',
});

const count = Math.round(minutes * rate);
const answers = new Map<number | string, number>();
const took: number[] = [];
const startedAt = performance.now();
const underWay = new Set<Promise<void>>();
for (let number = 0; number < count; number += 1) {
  await delay(Math.max(0, startedAt + (number * 60_000) / rate - performance.now()));
  for (let time = 0; time < (number % 50 === 0 ? 2 : 1); time += 1) {
    const sending: Promise<void> = send(number).finally(() => underWay.delete(sending));
    underWay.add(sending);
  }
}
await Promise.all(underWay);
const seconds = (performance.now() - startedAt) / 1_000;

await delay((windowSeconds + 15) * 1_000);
const found = await becameOf();
await api('DELETE', `/event-rules/${rule.id}`);
await api('DELETE', `/event-sources/${source.id}`);

took.sort((a, b) => a - b);
const at = (share: number) => `${took[Math.floor((took.length - 1) * share)]?.toFixed(1)} ms`;
console.log(`${count} events in ${seconds.toFixed(1)} s, ${took.length} requests`);
console.log(`answers: ${[...answers].map(([status, times]) => `${times} x ${status}`).join(', ')}`);
console.log(
  `an answer took ${at(0.5)} (median), ${at(0.95)} (95 %), ${at(0.99)} (99 %), ${at(1)} (the slowest)`,
);
console.log(
  `stored: ${found.size}; ${[...tally(found.values())].map(([what, times]) => `${times} x ${what}`).join(', ')}`,
);
const wrong = Array.from({ length: count }, (_, number) => number).filter(
  (number) => !(found.get(String(number)) ?? '').startsWith(number % 10 === 0 ? 'no_match' : 'run '),
);
console.log(
  wrong.length === 0 ? 'None was lost, and none ran twice.' : `wrong: ${wrong.slice(0, 20).join(', ')}`,
);
process.exitCode = wrong.length === 0 && found.size === count ? 0 : 1;

async function send(number: number): Promise<void> {
  const began = performance.now();
  const answer = await fetch(`${values.url}/api/v1/events/${source.id}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${source.secret}`,
      'content-type': 'application/json',
      'webhook-id': String(number),
    },
    body: JSON.stringify({ number, table: `table_${number % 7}`, rows: number % 10 }),
  }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status;
    },
    (error: unknown) => String(error),
  );
  took.push(performance.now() - began);
  answers.set(answer, (answers.get(answer) ?? 0) + 1);
}

/** Of each event by the sender's id: its verdict, and its run. */
async function becameOf(): Promise<Map<string, string>> {
  const events = new Map<string, string>();
  for (let cursor = ''; ;) {
    const path = `/events?limit=200&source_id=${source.id}${cursor}`;
    const page = await api<EventPage>('GET', path);
    for (const { external_id: id, verdicts } of page.data) {
      const [first] = verdicts;
      if (events.has(id)) throw new Error(`event ${id} is stored twice`);
      events.set(id, first?.run_id == null ? (first?.verdict ?? 'without a verdict') : `run ${first.run_id}`);
    }
    if (page.next_cursor === null) return events;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

interface EventPage {
  data: { external_id: string; verdicts: { verdict: string; run_id: string | null }[] }[];
  next_cursor: string | null;
}

function tally(all: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const each of all) counts.set(each, (counts.get(each) ?? 0) + 1);
  return counts;
}

async function api<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${values.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as Answer;
}
