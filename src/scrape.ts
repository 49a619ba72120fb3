import { createHash, timingSafeEqual } from 'node:crypto';
import { collectDefaultMetrics, Gauge, Registry, type Metric } from 'prom-client';
import type { Context } from './context.ts';
import { AppError } from './errors.ts';
import { answersInTime } from './readiness.ts';

/** Something that is looked at for each answer. What it then finds is set in its own gauges. */
export interface Look {
  part: 'database' | 'queue';
  look(): Promise<void>;
  /** Called when there is no answer in time: an old value would be taken for a new one. */
  forget(): void;
}

export interface Scrape {
  contentType: string;
  /** Answers in little more than 2 s whatever is out of order. Throws when the caller may not see it. */
  text(authorization: string | undefined): Promise<string>;
}

/** What `/metrics` of a process answers: what it counted, what it looks at, and the process itself. */
export function openScrape(context: Context, counted: Metric[], looks: Look[]): Scrape {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'dctl_' });
  for (const metric of counted) registry.registerMetric(metric);
  for (const gauge of poolGauges(context)) registry.registerMetric(gauge);
  const up = new Gauge({
    name: 'dctl_up',
    help: 'Whether this part answered just now (1) or not (0).',
    labelNames: ['part'],
    registers: looks.length > 0 ? [registry] : [],
  });
  const askedAlready = new Map<Look, Promise<void>>();
  // One at a time: a database that is slow is not asked the same more often.
  const lookOnce = (each: Look) => {
    const asked = askedAlready.get(each) ?? each.look().finally(() => askedAlready.delete(each));
    askedAlready.set(each, asked);
    return asked;
  };

  return {
    contentType: registry.contentType,
    async text(authorization) {
      requireToken(context.config.DCTL_METRICS_TOKEN, authorization);
      await Promise.all(
        looks.map(async (each) => {
          const isUp = await answersInTime(() => lookOnce(each));
          if (!isUp) each.forget();
          up.set({ part: each.part }, isUp ? 1 : 0);
        }),
      );
      return registry.metrics();
    },
  };
}

function requireToken(token: string | undefined, authorization = ''): void {
  if (token === undefined) return;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (timingSafeEqual(digest(`Bearer ${token}`), digest(authorization))) return;
  throw new AppError(
    'unauthenticated',
    'Send the header "Authorization: Bearer ..." with the token of DCTL_METRICS_TOKEN.',
  );
}

function poolGauges({ pool }: Context): Metric[] {
  const connections = new Gauge({
    name: 'dctl_database_connections',
    help: 'Connections of this process to Postgres.',
    labelNames: ['state'],
    registers: [],
    collect() {
      this.set({ state: 'busy' }, pool.totalCount - pool.idleCount);
      this.set({ state: 'idle' }, pool.idleCount);
    },
  });
  const waiting = new Gauge({
    name: 'dctl_database_waiting',
    help: 'Questions of this process that wait for a connection to Postgres.',
    registers: [],
    collect() {
      this.set(pool.waitingCount);
    },
  });
  return [connections, waiting];
}
