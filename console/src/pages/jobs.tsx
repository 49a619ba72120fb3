import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useQuery } from '@tanstack/react-query';
import type { Project, Run } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { NewJob } from '../jobs/new-job.tsx';
import { RunDots } from '../jobs/run-dots.tsx';
import { ScheduleText } from '../jobs/schedule-text.tsx';
import { TriggerButton } from '../jobs/trigger.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { useJobs, useProjects } from '../projects/projects.ts';
import { useSession } from '../session.tsx';

/** Every job, below its project. */
export function Jobs() {
  const projects = useProjects();
  const { may } = useSession();
  const [asked, setAsked] = useSearchParams();
  const [isNew, setNew] = useState(false);
  const wanted = asked.get('q') ?? '';
  const recent = useQuery({
    queryKey: ['runs', 'of all jobs'],
    queryFn: ({ signal }) => api().call('listRuns', { query: { limit: 100 } }, { signal }),
    refetchInterval: 5_000,
  });
  const withJobs = projects.data?.filter(({ jobs }) => jobs.length > 0) ?? [];
  return (
    <>
      <PageHead title="Jobs">
        {may('admin') && (projects.data?.length ?? 0) > 0 && (
          <button type="button" className="primary" onClick={() => setNew(true)}>
            New job
          </button>
        )}
      </PageHead>
      {isNew && <NewJob projects={projects.data ?? []} onClose={() => setNew(false)} />}
      {projects.isError && <Problem error={projects.error} again={() => void projects.refetch()} />}
      {projects.isSuccess && withJobs.length === 0 && (
        <p className="empty">
          No jobs yet. Deploy a <Link to="/projects">project</Link>: its first deployment creates a job.
        </p>
      )}
      {withJobs.length > 0 && (
        <div className="filters">
          <label>
            Search{' '}
            <input
              type="search"
              value={wanted}
              placeholder="Job, project or command"
              onChange={({ target }) => setAsked(target.value === '' ? {} : { q: target.value })}
            />
          </label>
        </div>
      )}
      {withJobs.map((project) => (
        <JobsOf key={project.id} project={project} wanted={wanted} runs={recent.data?.data ?? []} />
      ))}
    </>
  );
}

function JobsOf({ project, wanted, runs }: { project: Project; wanted: string; runs: Run[] }) {
  const jobs = useJobs(project.id);
  const { may } = useSession();
  const shown = jobs.data?.filter(({ name, command, description }) =>
    `${project.name} ${name} ${command} ${description}`.toLowerCase().includes(wanted.toLowerCase()),
  );
  if (jobs.isError) return <Problem error={jobs.error} again={() => void jobs.refetch()} />;
  if (shown === undefined || shown.length === 0) return null;
  return (
    <section className="card">
      <div className="card-head">
        <h2>
          <Link to={`/projects/${project.id}`}>{project.name}</Link>
        </h2>
      </div>
      <table>
        <thead>
          <tr>
            <th scope="col">Job</th>
            <th scope="col">Recent runs</th>
            <th scope="col">Schedule</th>
            <th scope="col">
              <span className="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((job) => (
            <tr key={job.id}>
              <td>
                <Link to={`/jobs/${project.id}/${job.id}`}>
                  <strong>{job.name}</strong>
                </Link>{' '}
                {!job.enabled && <span className="badge warn">disabled</span>}
                <code className="command">{job.command}</code>
              </td>
              <td>
                <RunDots runs={runs.filter((run) => run.job_id === job.id)} />
              </td>
              <td>
                <ScheduleText job={job} />
              </td>
              <td>
                {may('operator') && (
                  <div className="actions">
                    <TriggerButton job={job} projectType={project.type} small />
                  </div>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
