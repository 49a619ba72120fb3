import { Gauge } from 'prom-client';
import type { Context } from './context.ts';
import { countOpenRuns, openEndedRunCount } from './runs/count-runs.ts';
import { openScrape, type Look, type Scrape } from './scrape.ts';
import { countOpenDeliveries } from './webhooks/store.ts';

/** What the API's `/metrics` shows: its own requests, and what only the database and the queue know of the whole. */
export function openServerMetrics(context: Context): Scrape {
  const { requests, failedAuthentications, rateLimited, triggers, runsEnded, runDurations } = context.metrics;
  const counted = [requests, failedAuthentications, rateLimited, triggers, runsEnded, runDurations];
  const database = lookAtDatabase(context);
  const queue = lookAtQueue(context);
  return openScrape(context, [...counted, ...database.gauges, ...queue.gauges], [database.look, queue.look]);
}

function lookAtDatabase({ db }: Context): { gauges: Gauge[]; look: Look } {
  const countEndedRuns = openEndedRunCount(db);
  const runs = new Gauge({
    name: 'dctl_runs',
    help: 'Runs by their status, over all time.',
    labelNames: ['status'],
    registers: [],
  });
  const oldestDue = new Gauge({
    name: 'dctl_oldest_due_run_seconds',
    help: 'Age of the oldest queued run that no other run of its job keeps waiting. 0: there is none.',
    registers: [],
  });
  const deliveries = new Gauge({
    name: 'dctl_open_deliveries',
    help: 'Webhooks that have not come to their end.',
    labelNames: ['state'],
    registers: [],
  });
  return {
    gauges: [runs, oldestDue, deliveries],
    look: {
      part: 'database',
      async look() {
        const [{ oldestDueSeconds, ...open }, ended, openDeliveries] = await Promise.all([
          countOpenRuns(db),
          countEndedRuns(),
          countOpenDeliveries(db),
        ]);
        oldestDue.set(oldestDueSeconds);
        for (const [status, count] of Object.entries({ ...open, ...ended })) runs.set({ status }, count);
        for (const [state, count] of Object.entries(openDeliveries)) deliveries.set({ state }, count);
      },
      forget() {
        oldestDue.remove();
        for (const gauge of [runs, deliveries]) gauge.reset();
      },
    },
  };
}

function lookAtQueue({ doorbell }: Context): { gauges: Gauge[]; look: Look } {
  const waiting = new Gauge({
    name: 'dctl_messages_waiting',
    help: 'Messages that no worker has taken yet.',
    labelNames: ['about'],
    registers: [],
  });
  return {
    gauges: [waiting],
    look: {
      part: 'queue',
      async look() {
        const counts = await doorbell.countWaiting();
        for (const [about, count] of Object.entries(counts)) waiting.set({ about }, count);
      },
      forget: () => waiting.reset(),
    },
  };
}
