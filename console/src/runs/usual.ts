import { useQuery } from '@tanstack/react-query';
import type { Run } from '../../../client/operations.ts';
import { api } from '../api.ts';

/** Fewer good runs do not make anything usual. */
export const fewestRuns = 3;

/** How many seconds the run would usually take. Nothing is usual for a command that its job does not have. */
export function useUsual(): (run: Run) => number | undefined {
  const { data } = useQuery({
    queryKey: ['usual'],
    queryFn: async ({ signal }) => {
      const { data: jobs } = await api().call('listUsualDurations', {}, { signal });
      return new Map(
        jobs.filter(({ runs }) => runs >= fewestRuns).map((job) => [job.job_id, job.usual_duration_seconds]),
      );
    },
    staleTime: 60_000,
    structuralSharing: false,
  });
  return (run) => (run.command_override === null ? data?.get(run.job_id) : undefined);
}
