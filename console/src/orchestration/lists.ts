import { useQuery } from '@tanstack/react-query';
import type { EventRule, EventSource } from '../../../client/operations.ts';
import { api } from '../api.ts';

/** All sources: an organization has few. */
export function useSources() {
  return useQuery({
    queryKey: ['event sources'],
    queryFn: async ({ signal }): Promise<EventSource[]> =>
      (await api().call('listEventSources', { query: { limit: 200 } }, { signal })).data,
  });
}

/** All rules: there are at most 200. */
export function useRules() {
  return useQuery({
    queryKey: ['event rules'],
    queryFn: async ({ signal }): Promise<EventRule[]> =>
      (await api().call('listEventRules', { query: { limit: 200 } }, { signal })).data,
  });
}
