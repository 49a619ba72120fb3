import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { useDraft } from '../parts/draft.ts';
import { Field } from '../parts/field.tsx';
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
        <h2>The project</h2>
        <form onSubmit={submit}>
          <fieldset disabled={!may('admin')} className="fields">
            <Field label="Name" pointer="/name" error={saving.error}>
              {(control) => (
                <input
                  {...control}
                  required
                  value={draft.value.name}
                  onChange={({ target }) => draft.set({ name: target.value })}
                />
              )}
            </Field>
          </fieldset>
          {may('admin') && <Save saving={saving} isChanged={draft.isChanged} reset={draft.reset} />}
        </form>
        <h2>Its id</h2>
        <p className="hint">Scripts and schedulers name the project by it.</p>
        <Copied label="The project's id" text={project.id} />
      </section>
      {may('admin') && (
        <section className="card danger-zone">
          <div className="card-head">
            <h2>Delete the project</h2>
            <ConfirmedAction
              name="Delete"
              question={`Delete ${project.name}?`}
              run={async () => {
                await api().call('deleteProject', { path });
                await queries.invalidateQueries({ queryKey: ['projects'] });
                await navigate('/projects');
              }}
            >
              <p>Its jobs, environments, secrets and code are gone for good. Its runs stay.</p>
            </ConfirmedAction>
          </div>
          <p className="hint">With its jobs, environments and code. Its runs stay.</p>
        </section>
      )}
    </>
  );
}
