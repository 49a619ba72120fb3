import type { Project, Run } from '../../../client/operations.ts';
import { useProjects } from '../projects/projects.ts';

export interface Names {
  projects: Project[];
  jobName(run: Pick<Run, 'job_id' | 'name'>): string;
  projectName(run: Pick<Run, 'project_id'>): string | undefined;
}

/** What runs' jobs and projects are called. Of those that were deleted, what their runs tell of it. */
export function useNames(): Names {
  const { data = [] } = useProjects();
  const jobs = new Map(data.flatMap((project) => project.jobs.map(({ id, name }) => [id, name] as const)));
  const projects = new Map(data.map(({ id, name }) => [id, name] as const));
  return {
    projects: data,
    jobName: (run) => jobs.get(run.job_id) ?? run.name.replace(/-[a-z]+-\d{8}-\d{6}(-\w+)?$/, ''),
    projectName: (run) => projects.get(run.project_id),
  };
}
