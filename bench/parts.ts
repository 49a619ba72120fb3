import type { Report } from './figures.ts';
import { measureHistory } from './history.ts';
import { measureLiveLog } from './live-log.ts';
import { measureMemory } from './memory.ts';
import { measureOthers } from './others/others.ts';
import { measureExample, measureThousandModels } from './overhead.ts';
import type { Bench } from './system.ts';
import { measureThroughput } from './throughput.ts';
import { measureTriggers } from './triggers.ts';
import { measureWebhook } from './webhook.ts';

export interface Part {
  /** For `--help`. */
  about: string;
  measure(bench: Bench): Promise<Report>;
  /** The form that takes a minute at most; null: it is left out there. */
  measureSmall: ((bench: Bench) => Promise<Report>) | null;
}

/** What can be measured, in the order of the table. */
export const parts: Record<string, Part> = {
  example: {
    about: "a run's overhead, warm and cold, next to docker run",
    measure: (bench) => measureExample(bench, 15),
    measureSmall: (bench) => measureExample(bench, 3),
  },
  thousand: {
    about: 'the same in a project of 1,000 models',
    measure: (bench) => measureThousandModels(bench, 12),
    measureSmall: null,
  },
  throughput: {
    about: '40 runs, two at a time, next to xargs',
    measure: (bench) => measureThroughput(bench, { runs: 40, rounds: 3 }),
    measureSmall: (bench) => measureThroughput(bench, { runs: 10, rounds: 1 }),
  },
  triggers: {
    about: 'triggers a second, next to a bare route with one insert',
    measure: (bench) => measureTriggers(bench, { rounds: 6, seconds: 5 }),
    measureSmall: (bench) => measureTriggers(bench, { rounds: 2, seconds: 2 }),
  },
  history: {
    about: 'trigger, a run and a page of runs, with a million runs next to a thousand',
    measure: (bench) => measureHistory(bench, { many: 1_000_000, rounds: 20 }),
    measureSmall: (bench) => measureHistory(bench, { many: 100_000, rounds: 6 }),
  },
  'live-log': {
    about: 'from a line of the log written to seen',
    measure: (bench) => measureLiveLog(bench, 150),
    measureSmall: (bench) => measureLiveLog(bench, 40),
  },
  webhook: {
    about: 'from the end of a run to its webhook',
    measure: (bench) => measureWebhook(bench, 40),
    measureSmall: (bench) => measureWebhook(bench, 8),
  },
  memory: {
    about: 'of both processes and of a warm container',
    measure: (bench) => measureMemory(bench, 3),
    measureSmall: (bench) => measureMemory(bench, 1),
  },
  others: {
    about: 'the same build through Airflow and Prefect, from PyPI',
    measure: (bench) => measureOthers(bench, 10),
    measureSmall: null,
  },
};
