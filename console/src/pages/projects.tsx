import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { api } from '../api.ts';
import { DialogForm } from '../parts/dialog-form.tsx';
import { Field } from '../parts/field.tsx';
import { TextField } from '../parts/text-field.tsx';
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
          No projects yet. Create one here, or run <code>dctl deploy</code> in your project's folder.
        </p>
      )}
      {projects.data !== undefined && projects.data.length > 0 && (
        <section className="card">
          <table>
            <thead>
              <tr>
                <th scope="col">Project</th>
                <th scope="col">Jobs</th>
                <th scope="col">Deployed</th>
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
                      <span className="quiet">never</span>
                    ) : (
                      <>
                        <Ago time={project.deployment.since} />{' '}
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
  return (
    <DialogForm title="New project" action="Create" mutation={make} onClose={onClose}>
      <TextField label="Name" pointer="/name" error={make.error} required value={name} onChange={setName} />
      <Field label="Type" pointer="/type" error={make.error}>
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
    </DialogForm>
  );
}
