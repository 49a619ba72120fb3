import { useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useNavigate } from 'react-router';
import type { Asked } from '../../../client/client.ts';
import type { Environment } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { useDraft } from '../parts/draft.ts';
import { Choice, numberOf } from '../parts/field.tsx';
import { TextField } from '../parts/text-field.tsx';
import { Save } from '../parts/save.tsx';
import { useSession } from '../session.tsx';
import { pathOf, useSaveEnvironment } from './save-environment.ts';

type TextName = 'runner_image' | 'target' | 'network';
type NumberName = 'threads' | 'timeout_seconds' | 'memory_mb' | 'cpus';

const texts: [name: TextName, label: string, hint: string, placeholder: string][] = [
  ['runner_image', 'Image', "Default: the server's.", 'registry.example.com/dbt:1.11'],
  ['target', 'Target', 'A target of the profile.', 'prod'],
  ['network', 'Network', 'A Docker network for runs, or none.', 'warehouse'],
];
const numbers: [name: NumberName, label: string, hint: string, step: string][] = [
  ['threads', 'Threads', "Default: the profile's.", '1'],
  ['timeout_seconds', 'Maximum timeout (seconds)', "Default: the job's timeout.", '1'],
  ['memory_mb', 'Memory (MB)', "Default: the server's.", '1'],
  ['cpus', 'CPUs', "Default: the server's.", '0.1'],
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
      <h2>Container</h2>
      <form onSubmit={submit}>
        <fieldset disabled={!may('admin')} className="fields">
          <TextField
            label="Name"
            pointer="/name"
            error={error}
            required
            value={value.name}
            onChange={(name) => set({ name })}
          />
          {texts.map(([name, label, hint, placeholder]) => (
            <TextField
              key={name}
              label={label}
              hint={hint}
              pointer={`/${name}`}
              error={error}
              placeholder={placeholder}
              value={value[name] ?? ''}
              onChange={(text) => set({ [name]: text === '' ? null : text })}
            />
          ))}
          {numbers.map(([name, label, hint, step]) => (
            <TextField
              key={name}
              label={label}
              hint={hint}
              pointer={`/${name}`}
              error={error}
              type="number"
              step={step}
              min={0}
              value={value[name] ?? ''}
              onChange={(text) => set({ [name]: numberOf(text) })}
            />
          ))}
          <div className="field whole">
            <Choice
              label="Shared volume at /data"
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
        <h2>Delete environment</h2>
        <ConfirmedAction
          name="Delete"
          question={`Delete ${environment.name}?`}
          run={async () => {
            await api().call('deleteEnvironment', { path: pathOf(environment) });
            await queries.invalidateQueries({ queryKey: ['environments', environment.project_id] });
            await navigate(`/projects/${environment.project_id}/environments`);
          }}
        >
          <p>Its variables and secrets are deleted permanently.</p>
        </ConfirmedAction>
      </div>
      <p className="hint">An environment can be deleted when no job uses it.</p>
    </section>
  );
}
