import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { api } from '../api.ts';
import { ConnectionForm } from '../projects/connection-form.tsx';
import { DeleteEnvironment, EnvironmentForm } from '../projects/environment-form.tsx';
import { Secrets } from '../projects/secrets.tsx';
import { Variables } from '../projects/variables.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { useProject } from '../projects/projects.ts';
import { useSession } from '../session.tsx';

/** What dbt is run with. */
export function EnvironmentPage() {
  const { projectId = '', environmentId = '' } = useParams();
  const { may } = useSession();
  const project = useProject(projectId);
  const environment = useQuery({
    queryKey: ['environment', environmentId],
    queryFn: ({ signal }) =>
      api().call(
        'getEnvironment',
        { path: { project_id: projectId, environment_id: environmentId } },
        { signal },
      ),
  });
  const error = environment.error ?? project.error;
  if (error !== null) return <Problem error={error} again={() => void environment.refetch()} />;
  if (environment.data === undefined || project.data === undefined) return <p className="quiet">Loading…</p>;
  return (
    <div key={environmentId}>
      <PageHead
        title={environment.data.name}
        trail={[
          ['/projects', 'Projects'],
          [`/projects/${projectId}`, project.data.name],
          [`/projects/${projectId}/environments`, 'Environments'],
        ]}
      />
      <Variables environment={environment.data} />
      <Secrets environment={environment.data} />
      <ConnectionForm environment={environment.data} />
      <EnvironmentForm environment={environment.data} />
      {may('admin') && <DeleteEnvironment environment={environment.data} />}
    </div>
  );
}
