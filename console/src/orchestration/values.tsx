import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { OrchestrationSecret, Variable } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { Field } from '../parts/field.tsx';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';
import { Problem } from '../parts/problem.tsx';
import { Ago } from '../parts/time.tsx';
import { useSession } from '../session.tsx';

/** What hooks name in place of writing it out. */
export function Values() {
  return (
    <>
      <Variables />
      <Secrets />
    </>
  );
}

function Variables() {
  const { may } = useSession();
  const queries = useQueryClient();
  const list = useList<Variable>(['variables'], (cursor, signal) =>
    api().call('listVariables', { query: { limit: 200, ...cursorOf(cursor) } }, { signal }),
  );
  const refresh = () => queries.invalidateQueries({ queryKey: ['variables'] });
  return (
    <section className="card">
      <h2>Variables</h2>
      <p className="hint">
        Hooks say <code>{'${{variables.name}}'}</code>. Everybody here can read them.
      </p>
      {list.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Value</th>
              <th scope="col">Changed</th>
              <th scope="col">
                <span className="unseen">Delete it</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {list.items.map((variable) => (
              <tr key={variable.id}>
                <td className="wrap">
                  <code>{variable.name}</code>
                </td>
                <td className="wrap">{variable.value}</td>
                <td>
                  <Ago time={variable.updated_at} />
                </td>
                <td>
                  {may('admin') && (
                    <div className="actions">
                      <ConfirmedAction
                        name="Delete"
                        about={variable.name}
                        question={`Delete ${variable.name}?`}
                        run={async () => {
                          await api().call('deleteVariable', { path: { variable_id: variable.id } });
                          await refresh();
                        }}
                      />
                    </div>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ListEnd list={list} empty="There are none." more="More variables" />
      {may('admin') && (
        <SetValue
          what="variable"
          set={async (name, value) => {
            const known = list.items.find((each) => each.name === name);
            await (known === undefined
              ? api().call('createVariable', { body: { name, value } })
              : api().call('changeVariable', { path: { variable_id: known.id }, body: { value } }));
            await refresh();
          }}
        />
      )}
    </section>
  );
}

function Secrets() {
  const { may } = useSession();
  const queries = useQueryClient();
  const list = useList<OrchestrationSecret>(['orchestration secrets'], (cursor, signal) =>
    api().call('listOrchestrationSecrets', { query: { limit: 200, ...cursorOf(cursor) } }, { signal }),
  );
  const refresh = () => queries.invalidateQueries({ queryKey: ['orchestration secrets'] });
  return (
    <section className="card">
      <h2>Secrets</h2>
      <p className="hint">
        Hooks say <code>{'${{secrets.name}}'}</code>. Sealed, and shown to nobody.
      </p>
      {list.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Set</th>
              <th scope="col">
                <span className="unseen">Delete it</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {list.items.map((secret) => (
              <tr key={secret.id}>
                <td className="wrap">
                  <code>{secret.name}</code>
                </td>
                <td>
                  <Ago time={secret.updated_at} />
                </td>
                <td>
                  {may('admin') && (
                    <div className="actions">
                      <ConfirmedAction
                        name="Delete"
                        about={secret.name}
                        question={`Delete ${secret.name}?`}
                        run={async () => {
                          await api().call('deleteOrchestrationSecret', { path: { secret_id: secret.id } });
                          await refresh();
                        }}
                      />
                    </div>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ListEnd list={list} empty="There are none." more="More secrets" />
      {may('admin') && (
        <SetValue
          what="secret"
          set={async (name, value) => {
            const known = list.items.find((each) => each.name === name);
            await (known === undefined
              ? api().call('createOrchestrationSecret', { body: { name, value } })
              : api().call('changeOrchestrationSecret', { path: { secret_id: known.id }, body: { value } }));
            await refresh();
          }}
        />
      )}
    </section>
  );
}

function SetValue({
  what,
  set,
}: {
  what: 'variable' | 'secret';
  set: (name: string, value: string) => Promise<void>;
}) {
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [done, setDone] = useState('');
  const setting = useMutation({
    mutationFn: () => set(name, value),
    onSuccess: () => {
      setDone(`${name} is set.`);
      setName('');
      setValue('');
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setDone('');
    setting.mutate();
  };
  return (
    <form onSubmit={submit} className="set-value">
      <div className="fields">
        <Field
          label={`Name of the ${what}`}
          hint="One that is there is replaced."
          pointer="/name"
          error={setting.error}
        >
          {(control) => (
            <input
              {...control}
              className="mono"
              required
              autoComplete="off"
              spellCheck={false}
              value={name}
              onChange={({ target }) => setName(target.value)}
            />
          )}
        </Field>
        <Field label={`Value of the ${what}`} pointer="/value" error={setting.error}>
          {(control) => (
            <input
              {...control}
              type={what === 'secret' ? 'password' : 'text'}
              required={what === 'secret'}
              autoComplete={what === 'secret' ? 'new-password' : 'off'}
              value={value}
              onChange={({ target }) => setValue(target.value)}
            />
          )}
        </Field>
      </div>
      {setting.isError && <Problem error={setting.error} />}
      <div className="actions">
        <button type="submit" disabled={setting.isPending}>
          Set the {what}
        </button>
        <span role="status" className="quiet">
          {done}
        </span>
      </div>
    </form>
  );
}
