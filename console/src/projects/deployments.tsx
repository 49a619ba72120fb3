import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { Link } from 'react-router';
import type { Deployment, Project } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';
import { Problem } from '../parts/problem.tsx';
import { useThisProject } from '../pages/project.tsx';
import { useSession } from '../session.tsx';
import { DeploymentEntry } from './deployment-entry.tsx';

/** The versions of a project's code, and which of them runs use. */
export function Deployments() {
  const project = useThisProject();
  const { may } = useSession();
  const list = useList<Deployment>(
    ['deployments', project.id],
    (cursor, signal) =>
      api().call(
        'listDeployments',
        { path: { project_id: project.id }, query: { limit: 20, ...cursorOf(cursor) } },
        { signal },
      ),
    { refetchInterval: 3_000 },
  );
  const active = list.items.find(({ is_current: isCurrent }) => isCurrent);
  return (
    <>
      <section className="card">
        <h2>Jobs</h2>
        {project.jobs.length === 0 ? (
          <p className="quiet">No jobs yet: the first deployment creates one.</p>
        ) : (
          <ul className="plain">
            {project.jobs.map((job) => (
              <li key={job.id}>
                <Link to={`/jobs/${project.id}/${job.id}`}>{job.name}</Link> <code>{job.command}</code>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section className="card">
        <div className="card-head">
          <h2>Deployments</h2>
          {may('admin') && <Upload project={project} />}
        </div>
        {list.items.map((deployment) => (
          <DeploymentEntry
            key={deployment.id}
            deployment={deployment}
            isOlder={active === undefined || deployment.created_at < active.created_at}
          />
        ))}
        <ListEnd
          list={list}
          empty="No deployments yet. Run “dctl deploy” in the project's folder, or upload a .tar.gz of it."
          more="Older deployments"
        />
      </section>
    </>
  );
}

function Upload({ project }: { project: Project }) {
  const queries = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const upload = useMutation({
    mutationFn: async (file: File) =>
      api().upload(
        'deploy',
        { path: { project_id: project.id } },
        { type: 'application/gzip', bytes: new Uint8Array(await file.arrayBuffer()) },
      ),
    onSuccess: () =>
      Promise.all(
        [['deployments', project.id], ['project', project.id], ['projects'], ['jobs', project.id]].map(
          (queryKey) => queries.invalidateQueries({ queryKey }),
        ),
      ),
  });
  return (
    <div className="actions">
      <span role="status" className="quiet">
        {upload.isPending && 'Uploading…'}
        {upload.isSuccess && 'Deployed.'}
      </span>
      <button type="button" disabled={upload.isPending} onClick={() => input.current?.click()}>
        Upload .tar.gz
      </button>
      <input
        ref={input}
        type="file"
        accept=".tar.gz,.tgz,application/gzip"
        aria-label="Project folder as .tar.gz"
        hidden
        onChange={({ target }) => {
          const [file] = target.files ?? [];
          if (file !== undefined) upload.mutate(file);
          target.value = '';
        }}
      />
      {upload.isError && <Problem error={upload.error} />}
    </div>
  );
}
