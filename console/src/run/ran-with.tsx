import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import type { Run } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { useEnvironments } from '../projects/projects.ts';
import { shortDigest } from '../projects/short-digest.ts';

interface Of {
  run: Pick<Run, 'project_id' | 'deployment_id' | 'environment_id'>;
  /** Of a project that was deleted there is nothing to ask for. */
  isProjectThere: boolean;
}

/** The version of the code that ran. Of one that cannot be read, its id. */
export function RunDeployment({ run, isProjectThere }: Of) {
  const path = { project_id: run.project_id, deployment_id: run.deployment_id };
  const { data } = useQuery({
    queryKey: ['deployment', run.deployment_id],
    queryFn: ({ signal }) => api().call('getDeployment', { path }, { signal }),
    enabled: isProjectThere,
    staleTime: Infinity,
  });
  if (data === undefined) return <ShortId id={run.deployment_id} />;
  return (
    <Link to={`/projects/${run.project_id}`}>
      <code title={data.digest}>{shortDigest(data.digest)}</code>
    </Link>
  );
}

/** What it ran with. */
export function RunEnvironment({ run, isProjectThere }: Of) {
  const { data } = useEnvironments(run.project_id, isProjectThere);
  const environment = data?.find(({ id }) => id === run.environment_id);
  if (environment === undefined) return <ShortId id={run.environment_id} />;
  return <Link to={`/projects/${run.project_id}/environments/${environment.id}`}>{environment.name}</Link>;
}

function ShortId({ id }: { id: string }) {
  return <code title={id}>{id.slice(0, 8)}</code>;
}
