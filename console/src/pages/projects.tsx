import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { Link, useNavigate } from 'react-router';
import { api } from '../api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { Ago } from '../parts/time.tsx';
import { useProjects } from '../projects/projects.ts';
import { useSession } from '../session.tsx';

export function Projects() {
  const projects = useProjects();
  const { may } = useSession();
  const [isNew, setNew] = useState(false);
  return (
    <>
      <PageHead title="Projects">
        {may('admin') && (
          <button type="button" className="primary" onClick={() => setNew(true)}>
            New project
          </button>
        )}
      </PageHead>
      {isNew && <NewProject onClose={() => setNew(false)} />}
      {projects.isError && <Problem error={projects.error} again={() => void projects.refetch()} />}
      {projects.isSuccess && projects.data.length === 0 && (
        <p className="empty">
          There are no projects yet. Make one here, or with <code>dctl deploy</code> in the folder of yours.
        </p>
      )}
      {projects.data !== undefined && projects.data.length > 0 && (
        <section className="card">
          <table>
            <thead>
              <tr>
                <th scope="col">Project</th>
                <th scope="col">Jobs</th>
                <th scope="col">What runs use</th>
              </tr>
            </thead>
            <tbody>
              {projects.data.map((project) => (
                <tr key={project.id}>
                  <td className="wrap">
                    <Link to={`/projects/${project.id}`}>
                      <strong>{project.name}</strong>
                    </Link>{' '}
                    <span className="badge">{project.type}</span>
                  </td>
                  <td className="wrap">
                    {project.jobs.length === 0 && <span className="quiet">none</span>}
                    {project.jobs.slice(0, 4).map((job, place) => (
                      <span key={job.id}>
                        {place > 0 && ', '}
                        <Link to={`/jobs/${project.id}/${job.id}`}>{job.name}</Link>
                      </span>
                    ))}
                    {project.jobs.length > 4 && (
                      <span className="quiet"> and {project.jobs.length - 4} more</span>
                    )}
                  </td>
                  <td>
                    {project.deployment === null ? (
                      <span className="quiet">nothing deployed yet</span>
                    ) : (
                      <>
                        since <Ago time={project.deployment.since} />{' '}
                        <span className="quiet">by {project.deployment.by}</span>
                      </>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}

function NewProject({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [type, setType] = useState<'dbt' | 'sqlmesh'>('dbt');
  const make = useMutation({
    mutationFn: () => api().call('createProject', { body: { name, type } }),
    onSuccess: async ({ id }) => {
      await queries.invalidateQueries({ queryKey: ['projects'] });
      await navigate(`/projects/${id}`);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Dialog title="New project" onClose={onClose}>
      <form onSubmit={submit}>
        <Field label="Name" pointer="/name" error={make.error}>
          {(control) => (
            <input {...control} required value={name} onChange={({ target }) => setName(target.value)} />
          )}
        </Field>
        <Field label="Written for" pointer="/type" error={make.error}>
          {(control) => (
            <select
              {...control}
              value={type}
              onChange={({ target }) => setType(target.value as 'dbt' | 'sqlmesh')}
            >
              <option value="dbt">dbt</option>
              <option value="sqlmesh">SQLMesh</option>
            </select>
          )}
        </Field>
        {make.isError && <Problem error={make.error} />}
        <div className="actions">
          <button type="submit" className="primary" disabled={make.isPending}>
            Make it
          </button>
          <button type="button" onClick={onClose}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
