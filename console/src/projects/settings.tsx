import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { useDraft } from '../parts/draft.ts';
import { TextField } from '../parts/text-field.tsx';
import { Save } from '../parts/save.tsx';
import { Copied } from '../parts/told-once.tsx';
import { useThisProject } from '../pages/project.tsx';
import { useSession } from '../session.tsx';

export function ProjectSettings() {
  const project = useThisProject();
  const { may } = useSession();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const draft = useDraft(project);
  const path = { project_id: project.id };
  const refresh = () =>
    Promise.all(
      [['project', project.id], ['projects']].map((queryKey) => queries.invalidateQueries({ queryKey })),
    );
  const saving = useMutation({
    mutationFn: () => api().call('changeProject', { path, body: { name: draft.value.name } }),
    onSuccess: async () => {
      await refresh();
      draft.reset();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate();
  };
  return (
    <>
      <section className="card">
        <h2>General</h2>
        <form onSubmit={submit}>
          <fieldset disabled={!may('admin')} className="fields">
            <TextField
              label="Name"
              pointer="/name"
              error={saving.error}
              required
              value={draft.value.name}
              onChange={(text) => draft.set({ name: text })}
            />
          </fieldset>
          {may('admin') && <Save saving={saving} isChanged={draft.isChanged} reset={draft.reset} />}
        </form>
        <h2>Project ID</h2>
        <p className="hint">Used by the API, scripts and schedulers.</p>
        <Copied label="Project ID" text={project.id} />
      </section>
      {may('admin') && (
        <section className="card danger-zone">
          <div className="card-head">
            <h2>Delete project</h2>
            <ConfirmedAction
              name="Delete"
              question={`Delete ${project.name}?`}
              run={async () => {
                await api().call('deleteProject', { path });
                await queries.invalidateQueries({ queryKey: ['projects'] });
                await navigate('/projects');
              }}
            >
              <p>Its jobs, environments, secrets and code are deleted permanently. Its runs are kept.</p>
            </ConfirmedAction>
          </div>
          <p className="hint">Deletes its jobs, environments, secrets and code. Its runs are kept.</p>
        </section>
      )}
    </>
  );
}
