import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { Operations, Run } from '../../../client/operations.ts';

export const statuses = ['queued', 'running', 'success', 'partial', 'failed', 'error'] as const;
export const triggers = ['manual', 'schedule', 'api', 'event', 'retry'] as const;

/** How far back, in minutes. */
export const spans = { '1h': 60, '24h': 1_440, '7d': 10_080, '30d': 43_200 } as const;

/** What is looked for, as it stands in the address. */
export interface Filters {
  status: Run['status'][];
  project: string;
  job: string;
  trigger: string;
  /** One of `spans`, or empty. */
  since: string;
  /** Days as a calendar's input writes them, in place of `since`. */
  from: string;
  until: string;
}

export type RunQuery = Omit<NonNullable<Operations['listRuns']['query']>, 'limit' | 'cursor'>;

export function useFilters(): {
  filters: Filters;
  isNarrowed: boolean;
  change(changed: Partial<Filters>): void;
  clear(): void;
} {
  const [asked, setAsked] = useSearchParams();
  const filters = useMemo(() => read(asked), [asked]);
  return {
    filters,
    isNarrowed: [...written(filters).keys()].length > 0,
    change: (changed) => setAsked(written({ ...filters, ...changed }), { replace: true }),
    clear: () => setAsked({}, { replace: true }),
  };
}

function read(asked: URLSearchParams): Filters {
  const text = (name: string) => asked.get(name) ?? '';
  const words = text('status').split(',');
  return {
    status: statuses.filter((each) => words.includes(each)),
    project: text('project'),
    job: text('job'),
    trigger: text('trigger'),
    since: text('since') in spans ? text('since') : '',
    from: dayOf(text('from')),
    until: dayOf(text('until')),
  };
}

const dayOf = (text: string) =>
  /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : '';

function written({ status, ...others }: Filters): URLSearchParams {
  const pairs = Object.entries({ status: status.join(','), ...others });
  return new URLSearchParams(pairs.filter(([, value]) => value !== ''));
}

/** What the server is asked with. A span begins anew each minute, so that it is the same question for a while. */
export function queryOf({ status, project, job, trigger, since, from, until }: Filters): RunQuery {
  const minute = 60_000;
  const span = spans[since as keyof typeof spans];
  const thisMinute = Math.floor(Date.now() / minute) * minute;
  const after = span === undefined ? startOf(from, 0) : new Date(thisMinute - span * minute);
  const before = span === undefined ? startOf(until, 1) : undefined;
  return {
    ...(status.length === 0 ? {} : { status: status.join(',') }),
    ...(project === '' ? {} : { project_id: project }),
    ...(job === '' ? {} : { job_id: job }),
    ...(trigger === '' ? {} : { triggered_by: trigger }),
    ...(after === undefined ? {} : { created_after: after.toISOString() }),
    ...(before === undefined ? {} : { created_before: before.toISOString() }),
  };
}

/** Midnight where the browser is, at the beginning of the day or so many days on. */
function startOf(day: string, daysOn: number): Date | undefined {
  if (day === '') return undefined;
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date + daysOn);
}
