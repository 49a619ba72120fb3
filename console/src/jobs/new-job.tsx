import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import type { Project } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { DialogForm } from '../parts/dialog-form.tsx';
import { Field } from '../parts/field.tsx';
import { TextField } from '../parts/text-field.tsx';
import { CommandField } from './command-field.tsx';

/** Makes a job with a name and a command; all else is on the page that follows. */
export function NewJob({ projects, onClose }: { projects: Project[]; onClose: () => void }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [projectId, setProjectId] = useState(projects[0]?.id ?? '');
  const [name, setName] = useState('');
  const [command, setCommand] = useState('');
  const type = projects.find(({ id }) => id === projectId)?.type ?? 'dbt';
  const make = useMutation({
    mutationFn: () => api().call('createJob', { path: { project_id: projectId }, body: { name, command } }),
    onSuccess: async (job) => {
      await Promise.all(
        [['projects'], ['jobs', projectId]].map((queryKey) => queries.invalidateQueries({ queryKey })),
      );
      await navigate(`/jobs/${projectId}/${job.id}/settings`);
    },
  });
  return (
    <DialogForm title="New job" action="Create" mutation={make} onClose={onClose}>
      {projects.length > 1 && (
        <Field label="Project">
          {(control) => (
            <select {...control} value={projectId} onChange={({ target }) => setProjectId(target.value)}>
              {projects.map(({ id, name: called }) => (
                <option key={id} value={id}>
                  {called}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <TextField label="Name" pointer="/name" error={make.error} required value={name} onChange={setName} />
      <CommandField
        pointer="/command"
        error={make.error}
        projectType={type}
        text={command}
        placeholder={type === 'sqlmesh' ? 'sqlmesh run' : 'dbt build'}
        required
        onChange={setCommand}
      />
    </DialogForm>
  );
}
