import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { api } from '../api.ts';
import { DialogForm } from '../parts/dialog-form.tsx';
import { TextField } from '../parts/text-field.tsx';
import { Problem } from '../parts/problem.tsx';
import { useThisProject } from '../pages/project.tsx';
import { useSession } from '../session.tsx';
import { useEnvironments } from './projects.ts';

/** What a project's jobs can be run with. */
export function Environments() {
  const project = useThisProject();
  const { may } = useSession();
  const environments = useEnvironments(project.id);
  const [isNew, setNew] = useState(false);
  return (
    <section className="card">
      <div className="card-head">
        <h2>Environments</h2>
        {may('admin') && (
          <button type="button" onClick={() => setNew(true)}>
            New environment
          </button>
        )}
      </div>
      <p className="hint">What dbt runs with: image, variables, secrets and warehouse.</p>
      {isNew && <NewEnvironment projectId={project.id} onClose={() => setNew(false)} />}
      {environments.isError && <Problem error={environments.error} />}
      {environments.data !== undefined && (
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Warehouse</th>
              <th scope="col">Image</th>
              <th scope="col">Variables</th>
            </tr>
          </thead>
          <tbody>
            {environments.data.map((environment) => (
              <tr key={environment.id}>
                <td className="wrap">
                  <Link to={`/projects/${project.id}/environments/${environment.id}`}>
                    <strong>{environment.name}</strong>
                  </Link>
                </td>
                <td className="wrap">
                  {environment.connection === null ? (
                    <span className="quiet">project's profiles.yml</span>
                  ) : (
                    String(environment.connection['type'])
                  )}
                </td>
                <td className="wrap">
                  {environment.runner_image ?? <span className="quiet">server default</span>}
                </td>
                <td data-label="variables:">{Object.keys(environment.env_vars).length}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function NewEnvironment({ projectId, onClose }: { projectId: string; onClose: () => void }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const make = useMutation({
    mutationFn: () => api().call('createEnvironment', { path: { project_id: projectId }, body: { name } }),
    onSuccess: async ({ id }) => {
      await queries.invalidateQueries({ queryKey: ['environments', projectId] });
      await navigate(`/projects/${projectId}/environments/${id}`);
    },
  });
  return (
    <DialogForm title="New environment" action="Create" mutation={make} onClose={onClose}>
      <TextField
        label="Name"
        pointer="/name"
        error={make.error}
        required
        placeholder="staging"
        value={name}
        onChange={setName}
      />
    </DialogForm>
  );
}
