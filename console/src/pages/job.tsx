import { useQuery } from '@tanstack/react-query';
import { Outlet, useOutletContext, useParams } from 'react-router';
import type { Job, Project } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { TriggerButton } from '../jobs/trigger.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { useProject } from '../projects/projects.ts';
import { useSession } from '../session.tsx';

export interface JobAndProject {
  job: Job;
  project: Project;
}

/** What a job's page is about, for its parts. */
export const useJob = () => useOutletContext<JobAndProject>();

/** A job. Its parts are the files of `jobs/`. */
export function JobPage() {
  const { projectId = '', jobId = '' } = useParams();
  const { may } = useSession();
  const project = useProject(projectId);
  const job = useQuery({
    queryKey: ['job', jobId],
    queryFn: ({ signal }) =>
      api().call('getJob', { path: { project_id: projectId, job_id: jobId } }, { signal }),
  });
  const error = job.error ?? project.error;
  if (error !== null) return <Problem error={error} again={() => void job.refetch()} />;
  if (job.data === undefined || project.data === undefined) return <p className="quiet">Loading…</p>;
  const here = `/jobs/${projectId}/${jobId}`;
  return (
    <>
      <PageHead
        title={job.data.name}
        trail={[
          ['/jobs', 'Jobs'],
          [`/projects/${projectId}`, project.data.name],
        ]}
        beside={job.data.enabled ? null : <span className="badge warn">disabled</span>}
      >
        {may('operator') && <TriggerButton job={job.data} projectType={project.data.type} />}
      </PageHead>
      <Tabs
        label="Job"
        places={[
          [here, 'Runs'],
          [`${here}/settings`, 'Settings'],
          ...(project.data.type === 'dbt' ? ([[`${here}/webhook`, 'Webhook']] as [string, string][]) : []),
        ]}
      />
      <Outlet key={jobId} context={{ job: job.data, project: project.data } satisfies JobAndProject} />
    </>
  );
}
