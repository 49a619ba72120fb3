import { useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useNavigate } from 'react-router';
import type { Asked } from '../../../client/client.ts';
import type { Environment } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { useDraft } from '../parts/draft.ts';
import { Choice, Field, numberOf } from '../parts/field.tsx';
import { Save } from '../parts/save.tsx';
import { useSession } from '../session.tsx';
import { pathOf, useSaveEnvironment } from './save-environment.ts';

type TextName = 'runner_image' | 'target' | 'network';
type NumberName = 'threads' | 'timeout_seconds' | 'memory_mb' | 'cpus';

const texts: [name: TextName, label: string, hint: string, placeholder: string][] = [
  ['runner_image', 'Image', "Empty: the server's.", 'registry.example.com/dbt:1.11'],
  ['target', 'Target', "One of the project's profile.", 'prod'],
  ['network', 'Network', 'A Docker network made for runs, or none.', 'warehouse'],
];
const numbers: [name: NumberName, label: string, hint: string, step: string][] = [
  ['threads', 'Threads', "Empty: as the project's profile says.", '1'],
  ['timeout_seconds', 'No run takes longer (seconds)', 'Empty: as its job says.', '1'],
  ['memory_mb', 'Memory (MB)', "Empty: the server's default.", '1'],
  ['cpus', 'Processors', "Empty: the server's default.", '0.1'],
];

/** What containers of an environment are made of. */
export function EnvironmentForm({ environment }: { environment: Environment }) {
  const { may } = useSession();
  const draft = useDraft(environment);
  const { value, set } = draft;
  const saving = useSaveEnvironment(environment, draft.reset);
  const { error } = saving;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate(draft.change as Asked<'changeEnvironment'>['body']);
  };
  return (
    <section className="card">
      <h2>What it runs in</h2>
      <form onSubmit={submit}>
        <fieldset disabled={!may('admin')} className="fields">
          <Field label="Name" pointer="/name" error={error}>
            {(control) => (
              <input
                {...control}
                required
                value={value.name}
                onChange={({ target }) => set({ name: target.value })}
              />
            )}
          </Field>
          {texts.map(([name, label, hint, placeholder]) => (
            <Field key={name} label={label} hint={hint} pointer={`/${name}`} error={error}>
              {(control) => (
                <input
                  {...control}
                  placeholder={placeholder}
                  value={value[name] ?? ''}
                  onChange={({ target }) => set({ [name]: target.value === '' ? null : target.value })}
                />
              )}
            </Field>
          ))}
          {numbers.map(([name, label, hint, step]) => (
            <Field key={name} label={label} hint={hint} pointer={`/${name}`} error={error}>
              {(control) => (
                <input
                  {...control}
                  type="number"
                  step={step}
                  min={0}
                  value={value[name] ?? ''}
                  onChange={({ target }) => set({ [name]: numberOf(target.value) })}
                />
              )}
            </Field>
          ))}
          <div className="field whole">
            <Choice
              label="Its runs share a disk at /data"
              checked={value.has_data_volume}
              onChange={(checked) => set({ has_data_volume: checked })}
            />
          </div>
        </fieldset>
        {may('admin') && (
          <Save
            saving={saving}
            isChanged={draft.isChanged}
            reset={() => {
              saving.reset();
              draft.reset();
            }}
          />
        )}
      </form>
    </section>
  );
}

export function DeleteEnvironment({ environment }: { environment: Environment }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return (
    <section className="card danger-zone">
      <div className="card-head">
        <h2>Delete the environment</h2>
        <ConfirmedAction
          name="Delete"
          question={`Delete ${environment.name}?`}
          run={async () => {
            await api().call('deleteEnvironment', { path: pathOf(environment) });
            await queries.invalidateQueries({ queryKey: ['environments', environment.project_id] });
            await navigate(`/projects/${environment.project_id}/environments`);
          }}
        >
          <p>Its secrets are gone for good.</p>
        </ConfirmedAction>
      </div>
      <p className="hint">Once no job runs in it.</p>
    </section>
  );
}
