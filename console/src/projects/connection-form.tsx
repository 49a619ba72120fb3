import { useState, type FormEvent } from 'react';
import type { Connection, Environment } from '../../../client/operations.ts';
import { Field, type ControlOf } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { Save } from '../parts/save.tsx';
import { useSession } from '../session.tsx';
import {
  connectionFields,
  connectionNames,
  readValue,
  shownValue,
  type ConnectionField,
  type ConnectionType,
} from './connection-fields.ts';
import { useSaveEnvironment } from './save-environment.ts';

/** Where the warehouse is, for a profile that dctl makes; or nowhere, when the project brings its own. */
export function ConnectionForm({ environment }: { environment: Environment }) {
  const { may } = useSession();
  const stored = environment.connection;
  const storedType = (stored?.['type'] as ConnectionType | undefined) ?? null;
  const [change, setChange] = useState<{ type: ConnectionType | null; texts: Record<string, string> } | null>(
    null,
  );
  const [unreadable, setUnreadable] = useState<unknown>(null);
  const saving = useSaveEnvironment(environment, () => setChange(null));
  const type = change === null ? storedType : change.type;
  const fields = type === null ? [] : connectionFields[type];
  const textOf = ({ name }: ConnectionField) =>
    change?.texts[name] ?? (type === storedType ? shownValue(stored?.[name]) : '');

  const reset = () => {
    setChange(null);
    setUnreadable(null);
    saving.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setUnreadable(null);
    try {
      const given = fields.filter((field) => textOf(field).trim() !== '');
      const values = given.map((field) => [field.name, readValue(field, textOf(field))] as const);
      saving.mutate({
        connection: type === null ? null : ({ type, ...Object.fromEntries(values) } as Connection),
      });
    } catch (error) {
      setUnreadable(error);
    }
  };
  return (
    <section className="card">
      <h2>Warehouse</h2>
      <form onSubmit={submit}>
        <fieldset disabled={!may('admin')} className="fields">
          <Field
            label="Type"
            whole
            hint={
              type === null
                ? 'Choose a type to have dctl generate the profile.'
                : 'Passwords, keys and tokens are encrypted and never shown. Unchanged ones are kept; changing the host requires entering them again.'
            }
          >
            {(control) => (
              <select
                {...control}
                value={type ?? ''}
                onChange={({ target }) =>
                  setChange({
                    type: target.value === '' ? null : (target.value as ConnectionType),
                    texts: {},
                  })
                }
              >
                <option value="">project's profiles.yml</option>
                {Object.entries(connectionNames).map(([each, name]) => (
                  <option key={each} value={each}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {fields.map((field) => (
            <Field
              key={`${type} ${field.name}`}
              label={field.label}
              hint={field.hint}
              whole={field.kind === 'json' || field.kind === 'long secret'}
              pointer={`/connection/${field.name}`}
              error={saving.error}
            >
              {(control) => (
                <ConnectionControl
                  control={control}
                  field={field}
                  text={textOf(field)}
                  onChange={(text) => setChange({ type, texts: { ...change?.texts, [field.name]: text } })}
                />
              )}
            </Field>
          ))}
        </fieldset>
        {unreadable !== null && <Problem error={unreadable} />}
        {may('admin') && (
          <Save saving={saving} isChanged={change !== null} reset={reset} name="Save warehouse" />
        )}
      </form>
    </section>
  );
}

function ConnectionControl({
  control,
  field: { kind, isOptional = false, placeholder, choices = [] },
  text,
  onChange,
}: {
  control: ControlOf;
  field: ConnectionField;
  text: string;
  onChange: (text: string) => void;
}) {
  const common = { ...control, value: text, required: !isOptional };
  if (kind === 'choice')
    return (
      <select {...common} onChange={({ target }) => onChange(target.value)}>
        <option value="">adapter's default</option>
        {choices.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    );
  if (kind === 'json' || kind === 'long secret')
    return (
      <textarea
        {...common}
        className="mono"
        rows={6}
        spellCheck={false}
        autoComplete="off"
        onChange={({ target }) => onChange(target.value)}
      />
    );
  return (
    <input
      {...common}
      type={kind === 'secret' ? 'password' : kind === 'number' ? 'number' : 'text'}
      autoComplete={kind === 'secret' ? 'new-password' : 'off'}
      placeholder={placeholder}
      onFocus={({ target }) => kind === 'secret' && target.select()}
      onChange={({ target }) => onChange(target.value)}
    />
  );
}
