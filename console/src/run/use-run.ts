import { queryOptions, useQuery } from '@tanstack/react-query';
import type { NodeResult, Run } from '../../../client/operations.ts';
import { api } from '../api.ts';

export const isFinal = ({ status }: Pick<Run, 'status'>) => status !== 'queued' && status !== 'running';
/** Nothing more comes of it. */
export const isSettled = (run: Run) => isFinal(run) && run.artifacts_ready;

/** A run, looked at again and again until all that it leaves is there. */
export function runQuery(id: string) {
  return queryOptions({
    queryKey: ['run', id],
    queryFn: ({ signal }) => api().call('getRun', { path: { run_id: id } }, { signal }),
    refetchInterval: ({ state }) => (state.data !== undefined && isSettled(state.data) ? false : 1_000),
    // Somebody may retry it.
    staleTime: 5_000,
  });
}

/** What became of the run's nodes, live. */
export function useNodes(run: Run) {
  const hasEnded = isFinal(run);
  return useQuery({
    // Once more when it has ended: then all of them have.
    queryKey: ['run', run.id, 'nodes', hasEnded],
    queryFn: ({ signal }) => allNodes(run.id, signal),
    placeholderData: (before) => before,
    refetchInterval: hasEnded ? false : 1_500,
    staleTime: hasEnded ? Infinity : 0,
    enabled: run.status !== 'queued',
  });
}

async function allNodes(runId: string, signal: AbortSignal): Promise<NodeResult[]> {
  const nodes: NodeResult[] = [];
  for (let cursor: string | undefined; ;) {
    const query = { limit: 5_000, ...(cursor === undefined ? {} : { cursor }) };
    const page = await api().call('listRunNodes', { path: { run_id: runId }, query }, { signal });
    nodes.push(...page.data);
    if (page.next_cursor === null) return nodes;
    cursor = page.next_cursor;
  }
}
