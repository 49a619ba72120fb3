import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { NodeResult, Run } from '../../../client/operations.ts';
import { api, chosenOrganization } from '../api.ts';
import type { Graph } from './lineage-graph.ts';
import type { GraphAnswer, GraphRequest } from './lineage-worker.ts';
import { isSettled } from './use-run.ts';

/** The graph of the run's project; of the run's nodes alone unless `isWhole`. null: no manifest is known. */
export function useGraph(run: Run, nodes: NodeResult[], isWhole: boolean) {
  const manifest = useQuery({
    queryKey: ['run', run.id, 'manifest', isSettled(run)],
    queryFn: ({ signal }) => manifestFor(run, signal),
    staleTime: Infinity,
  });
  const ids = useMemo(() => [...new Set(nodes.map(({ unique_id: id }) => id))].toSorted(), [nodes]);
  const graph = useQuery({
    queryKey: ['graph', manifest.data, isWhole ? 'whole' : ids.join(' ')],
    queryFn: ({ signal }) =>
      manifest.data === null || manifest.data === undefined
        ? null
        : layOut(manifest.data, isWhole ? null : ids, signal),
    enabled: manifest.data !== undefined,
    placeholderData: (before) => before,
    structuralSharing: false,
    staleTime: Infinity,
    retry: false,
  });
  const failed = manifest.isError ? manifest : graph;
  return { graph: graph.data, error: failed.error, again: () => void failed.refetch() };
}

/** The run's own, or while there is none an earlier one's of the same code. */
async function manifestFor(run: Run, signal: AbortSignal): Promise<string | null> {
  const own = isSettled(run) ? await manifestOf(run, signal) : null;
  if (own !== null) return own;
  const query = { project_id: run.project_id, status: 'success,partial,failed', limit: 100 };
  const { data } = await api().call('listRuns', { query }, { signal });
  const alike = data.filter(
    ({ id, deployment_id: deployment, cleared_at: cleared, artifacts_ready: isReady }) =>
      id !== run.id && deployment === run.deployment_id && cleared === null && isReady,
  );
  for (const each of alike.slice(0, 3)) {
    const its = await manifestOf(each, signal);
    if (its !== null) return its;
  }
  return null;
}

async function manifestOf({ id, cleared_at: cleared }: Run, signal: AbortSignal): Promise<string | null> {
  if (cleared !== null) return null;
  const { data } = await api().call('listRunArtifacts', { path: { run_id: id } }, { signal });
  const found = data.find(({ path }) => path === 'manifest.json');
  return found === undefined
    ? null
    : `/api/v1/runs/${encodeURIComponent(id)}/artifacts/manifest.json?step=${found.step}`;
}

let worker: Worker | undefined;
let asked = 0;

function layOut(url: string, only: string[] | null, signal: AbortSignal): Promise<Graph> {
  const its = (worker ??= new Worker(new URL('./lineage-worker.ts', import.meta.url), { type: 'module' }));
  const organization = chosenOrganization();
  const request: GraphRequest = {
    number: (asked += 1),
    url,
    headers: organization === undefined ? {} : { 'x-organization-id': organization },
    only,
  };
  const done = new AbortController();
  const until = { signal: AbortSignal.any([signal, done.signal]) };
  return new Promise<Graph>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    its.addEventListener('error', () => reject(new Error('The lineage could not be drawn.')), until);
    const take = ({ data }: MessageEvent<GraphAnswer>) => {
      if (data.number !== request.number) return;
      if ('graph' in data) resolve(data.graph);
      else reject(new Error(data.problem));
    };
    its.addEventListener('message', take, until);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
    its.postMessage(request);
  }).finally(() => done.abort());
}
