import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Run } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { runQuery } from '../run/use-run.ts';
import { queryOf, type Filters } from './filters.ts';

/** So many are looked at again and again; the ones before them come in pages, and are kept. */
const newest = 50;
const pageSize = 200;
const lookAgainMs = 2_000;

interface Known {
  /** Newest first, without a gap. */
  runs: Run[];
  /** Where the runs are that are older than all of these. Null: there are none. */
  next: string | null;
}

/** The runs that the filters name, newest first, as they are now. */
export function useRuns(filters: Filters) {
  const queries = useQueryClient();
  const key = useMemo(() => ['runs', filters], [filters]);
  const known = useQuery({
    queryKey: key,
    queryFn: async ({ signal }): Promise<Known> => {
      const query = { ...queryOf(filters), limit: newest };
      const { data, next_cursor: next } = await api().call('listRuns', { query }, { signal });
      return withNewest(queries.getQueryData<Known>(key), { runs: data, next });
    },
    refetchInterval: lookAgainMs,
    structuralSharing: false,
  });
  const [older, setOlder] = useState<{ isComing: boolean; error: unknown }>({ isComing: false, error: null });
  const loadOlder = async () => {
    const cursor = known.data?.next;
    if (older.isComing || typeof cursor !== 'string') return;
    setOlder({ isComing: true, error: null });
    try {
      const query = { ...queryOf(filters), limit: pageSize, cursor };
      const { data, next_cursor: next } = await api().call('listRuns', { query });
      queries.setQueryData<Known>(key, (now) =>
        now?.next === cursor ? { runs: [...now.runs, ...data], next } : now,
      );
      setOlder({ isComing: false, error: null });
    } catch (error) {
      setOlder({ isComing: false, error });
    }
  };
  return { known, older, loadOlder };
}

/** What is known, with the newest runs as they are now. Those keep their object that are as they were. */
function withNewest(before: Known | undefined, now: Known): Known {
  const last = now.runs.at(-1);
  if (before === undefined || now.next === null || last === undefined) return unchanged(before, now);
  const isGap = before.runs[0] !== undefined && isOlder(before.runs[0], last);
  if (isGap) return now;
  const rest = before.runs.filter((run) => isOlder(run, last));
  return unchanged(before, rest.length === 0 ? now : { runs: [...now.runs, ...rest], next: before.next });
}

function unchanged(before: Known | undefined, now: Known): Known {
  if (before === undefined) return now;
  const runsBefore = new Map(before.runs.slice(0, 2 * newest).map((run) => [run.id, run]));
  const runs = now.runs.map((run) => {
    const old = runsBefore.get(run.id);
    return old !== undefined && JSON.stringify(old) === JSON.stringify(run) ? old : run;
  });
  const isSame = runs.length === before.runs.length && runs.every((run, index) => run === before.runs[index]);
  return isSame && before.next === now.next ? before : { ...now, runs };
}

function isOlder(run: Run, than: Run): boolean {
  return run.created_at < than.created_at || (run.created_at === than.created_at && run.id < than.id);
}

/** Runs in view that have no end and are not among the newest, as they are now. */
export function useFresh(runs: Run[], inView: { from: number; to: number }): Map<string, Run> {
  const open = runs
    .slice(Math.max(newest, inView.from), inView.to)
    .filter(({ status }) => status === 'queued' || status === 'running');
  return useQueries({
    queries: open.map(({ id }) => runQuery(id)),
    combine: (results) =>
      new Map(results.flatMap(({ data }) => (data === undefined ? [] : [[data.id, data]]))),
  });
}
