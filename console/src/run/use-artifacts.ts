import { useQuery } from '@tanstack/react-query';
import type { Run } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { isFinal } from './use-run.ts';

/** What the run left. Its server waits with the answer until all of that is stored. */
export function useArtifacts(run: Run, isWanted = true) {
  return useQuery({
    queryKey: ['run', run.id, 'artifacts'],
    queryFn: async ({ signal }) => {
      const { data } = await api().call('listRunArtifacts', { path: { run_id: run.id } }, { signal });
      return data;
    },
    enabled: isWanted && isFinal(run),
    staleTime: Infinity,
  });
}
