import { Outlet, useOutletContext, useParams } from 'react-router';
import type { Project } from '../../../client/operations.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { DocsLink } from '../projects/docs-link.tsx';
import { useProject } from '../projects/projects.ts';

/** What a project's page is about, for its parts. */
export const useThisProject = () => useOutletContext<Project>();

/** A project. Its parts are the files of `projects/`. */
export function ProjectPage() {
  const { projectId = '' } = useParams();
  const project = useProject(projectId);
  if (project.isError) return <Problem error={project.error} again={() => void project.refetch()} />;
  if (project.data === undefined) return <p className="quiet">Loading…</p>;
  const here = `/projects/${projectId}`;
  return (
    <>
      <PageHead
        title={project.data.name}
        trail={[['/projects', 'Projects']]}
        beside={<span className="badge">{project.data.type}</span>}
      >
        {project.data.type === 'dbt' && <DocsLink projectId={projectId} />}
      </PageHead>
      <Tabs
        label="Project"
        places={[
          [here, 'Deployments'],
          [`${here}/environments`, 'Environments'],
          [`${here}/settings`, 'Settings'],
        ]}
      />
      <Outlet key={projectId} context={project.data} />
    </>
  );
}
