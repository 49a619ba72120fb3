import { useMutation } from '@tanstack/react-query';
import type { MouseEvent } from 'react';
import { api } from '../api.ts';
import { Problem } from '../parts/problem.tsx';
import { useSession } from '../session.tsx';

/** To dbt's own documentation. Whether a run has left one is asked for once somebody wants it. */
export function DocsLink({ projectId }: { projectId: string }) {
  const { organization } = useSession();
  const path = { organization_id: organization.id, project_id: projectId };
  const href = `/api/v1/organizations/${path.organization_id}/projects/${path.project_id}/docs`;
  const open = useMutation({
    mutationFn: async () => {
      const { body } = await api().open('getProjectDocs', { path });
      await body?.cancel();
      window.open(href, '_blank', 'noopener');
    },
  });
  const onClick = (event: MouseEvent) => {
    event.preventDefault();
    open.mutate();
  };
  return (
    <>
      <a className="button" target="_blank" rel="noopener" href={href} onClick={onClick}>
        dbt docs
      </a>
      {open.isError && <Problem error={open.error} />}
    </>
  );
}
