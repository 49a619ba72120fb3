import { useQuery } from '@tanstack/react-query';
import { DctlError } from '../../../client/client.ts';
import { api } from '../api.ts';
import { useSession } from '../session.tsx';

/** To dbt's own documentation, once a run has left one. */
export function DocsLink({ projectId }: { projectId: string }) {
  const { organization } = useSession();
  const path = { organization_id: organization.id, project_id: projectId };
  const { data: isThere } = useQuery({
    queryKey: ['docs', projectId],
    queryFn: async ({ signal }) => {
      try {
        const { body } = await api().open('getProjectDocs', { path }, { signal });
        await body?.cancel();
        return true;
      } catch (error) {
        if (error instanceof DctlError && error.status === 404) return false;
        throw error;
      }
    },
    staleTime: 60_000,
  });
  if (isThere !== true) return null;
  return (
    <a
      className="button"
      target="_blank"
      rel="noopener"
      href={`/api/v1/organizations/${path.organization_id}/projects/${path.project_id}/docs`}
    >
      dbt docs
    </a>
  );
}
