import { Counter, Gauge, Histogram } from 'prom-client';

/**
 * What a process counts as it happens. Which of these it shows is up to `src/scrape.ts` and `worker/serve-metrics.ts`.
 * A label never holds a name or an id: metrics are read by people of no organization.
 */
export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  return {
    requests: new Histogram({
      name: 'dctl_http_request_seconds',
      help: 'Time from a request to the end of its answer, by the route it came in by.',
      labelNames: ['method', 'route', 'status'] as const,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers: [],
    }),
    failedAuthentications: new Counter({
      name: 'dctl_failed_authentications_total',
      help: 'Requests with a token that is not valid, and sign-ins with a wrong password or e-mail address, or through an OpenID provider in vain.',
      labelNames: ['with'] as const,
      registers: [],
    }),
    rateLimited: new Counter({
      name: 'dctl_rate_limited_total',
      help: 'Requests that were answered 429 because their token, user or address had sent too many.',
      labelNames: ['per'] as const,
      registers: [],
    }),
    triggers: new Histogram({
      name: 'dctl_trigger_seconds',
      help: 'Time from a trigger to its recorded run.',
      labelNames: ['triggered_by'] as const,
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers: [],
    }),
    runWaits: new Histogram({
      name: 'dctl_run_wait_seconds',
      help: 'Time from a recorded run to the worker that took it.',
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1_800, 7_200],
      registers: [],
    }),
    runDurations: new Histogram({
      name: 'dctl_run_duration_seconds',
      help: 'Time from the start of a run to its end, by the status it ended with.',
      labelNames: ['status'] as const,
      buckets: [1, 2.5, 5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 21_600],
      registers: [],
    }),
    runsEnded: new Counter({
      name: 'dctl_runs_ended_total',
      help: 'Runs that came to their end here.',
      labelNames: ['status', 'reason'] as const,
      registers: [],
    }),
    runsAtWork: new Gauge({
      name: 'dctl_runs_at_work',
      help: 'Runs that this worker executes now, each in a container of its own.',
      registers: [],
    }),
    warmContainers: new Gauge({
      name: 'dctl_warm_containers',
      help: 'Containers that were made ahead: those that wait for a run, and those that are being made.',
      labelNames: ['state'] as const,
      registers: [],
    }),
    warmMemory: new Gauge({
      name: 'dctl_warm_memory_bytes',
      help: 'What the containers that were made ahead take; of one that is being made what it is expected to.',
      registers: [],
    }),
    warmTaken: new Counter({
      name: 'dctl_warm_taken_total',
      help: 'dbt runs by what waited for them: preloaded (parsed as they need it), started (only that), none.',
      labelNames: ['found'] as const,
      registers: [],
    }),
    warmDropped: new Counter({
      name: 'dctl_warm_dropped_total',
      help: 'Containers that were made ahead and served no run, by why they were given up.',
      labelNames: ['reason'] as const,
      registers: [],
    }),
    deliveriesEnded: new Counter({
      name: 'dctl_deliveries_ended_total',
      help: 'Webhooks that came to their end: delivered, failed, blocked, or unknown after a crash.',
      labelNames: ['state'] as const,
      registers: [],
    }),
    deliveryTries: new Histogram({
      name: 'dctl_delivery_try_seconds',
      help: 'Time of one try to send a webhook.',
      labelNames: ['result'] as const,
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [],
    }),
  };
}
