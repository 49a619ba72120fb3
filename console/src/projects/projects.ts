import { useQuery } from '@tanstack/react-query';
import { itemsOf } from '../../../client/client.ts';
import type { Environment, Job } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { cursorOf } from '../parts/list.tsx';

/** All of the organization's projects, with the names of their jobs. */
export function useProjects() {
  return useQuery({
    queryKey: ['projects'],
    queryFn: ({ signal }) =>
      allOf((cursor) =>
        api().call('listProjects', { query: { limit: 100, ...cursorOf(cursor) } }, { signal }),
      ),
  });
}

export function useProject(projectId: string) {
  return useQuery({
    queryKey: ['project', projectId],
    queryFn: ({ signal }) => api().call('getProject', { path: { project_id: projectId } }, { signal }),
  });
}

export function useEnvironments(projectId: string, enabled = true) {
  return useQuery({
    enabled,
    queryKey: ['environments', projectId],
    queryFn: ({ signal }): Promise<Environment[]> =>
      allOf((cursor) =>
        api().call(
          'listEnvironments',
          { path: { project_id: projectId }, query: { limit: 100, ...cursorOf(cursor) } },
          { signal },
        ),
      ),
  });
}

export function useJobs(projectId: string) {
  return useQuery({
    queryKey: ['jobs', projectId],
    queryFn: ({ signal }): Promise<Job[]> =>
      allOf((cursor) =>
        api().call(
          'listJobs',
          { path: { project_id: projectId }, query: { limit: 100, ...cursorOf(cursor) } },
          { signal },
        ),
      ),
  });
}

async function allOf<Item>(page: Parameters<typeof itemsOf<Item>>[0]): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of itemsOf(page)) all.push(item);
  return all;
}
