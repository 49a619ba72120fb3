import { useState, type FormEvent } from 'react';
import type { Environment } from '../../../client/operations.ts';
import { useDraft } from '../parts/draft.ts';
import { Pairs } from '../parts/pairs.tsx';
import { Save } from '../parts/save.tsx';
import { useSession } from '../session.tsx';
import { useSaveEnvironment } from './save-environment.ts';

/** The environment variables that dbt runs with, for all to read. */
export function Variables({ environment }: { environment: Environment }) {
  const { may } = useSession();
  const draft = useDraft(environment);
  const [formNumber, setFormNumber] = useState(0);
  const startAnew = () => {
    draft.reset();
    setFormNumber((before) => before + 1);
  };
  const saving = useSaveEnvironment(environment, startAnew);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate({ env_vars: draft.value.env_vars });
  };
  return (
    <section className="card">
      <h2>Variables</h2>
      <p className="hint">
        Environment variables for dbt, readable by every member. Use secrets for credentials.
      </p>
      <form onSubmit={submit}>
        <fieldset disabled={!may('admin')}>
          <legend className="unseen">Variables</legend>
          <Pairs
            key={formNumber}
            pairs={environment.env_vars}
            what="variable"
            namePlaceholder="SCHEMA_PREFIX"
            pointer="/env_vars"
            error={saving.error}
            onChange={(env_vars) => draft.set({ env_vars })}
          />
        </fieldset>
        {may('admin') && (
          <Save
            saving={saving}
            isChanged={draft.isChanged}
            reset={() => {
              saving.reset();
              startAnew();
            }}
            name="Save variables"
          />
        )}
      </form>
    </section>
  );
}
