import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { OrchestrationSecret, Variable } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { TextField } from '../parts/text-field.tsx';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';
import { FormProblem } from '../parts/form-problem.tsx';
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
        For hooks, as <code>{'${{variables.name}}'}</code>. Readable by every member.
      </p>
      {list.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Value</th>
              <th scope="col">Updated</th>
              <th scope="col">
                <span className="unseen">Actions</span>
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
      <ListEnd list={list} empty="No variables yet." more="More variables" />
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
        For hooks, as <code>{'${{secrets.name}}'}</code>. Encrypted and never shown.
      </p>
      {list.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Updated</th>
              <th scope="col">
                <span className="unseen">Actions</span>
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
      <ListEnd list={list} empty="No secrets yet." more="More secrets" />
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
        <TextField
          label={what === 'secret' ? 'Secret name' : 'Variable name'}
          hint="An existing one is replaced."
          pointer="/name"
          error={setting.error}
          className="mono"
          required
          autoComplete="off"
          spellCheck={false}
          value={name}
          onChange={setName}
        />
        <TextField
          label={what === 'secret' ? 'Secret value' : 'Variable value'}
          pointer="/value"
          error={setting.error}
          type={what === 'secret' ? 'password' : 'text'}
          required={what === 'secret'}
          autoComplete={what === 'secret' ? 'new-password' : 'off'}
          value={value}
          onChange={setValue}
        />
      </div>
      {setting.isError && <FormProblem error={setting.error} />}
      <div className="actions">
        <button type="submit" disabled={setting.isPending}>
          Set {what}
        </button>
        <span role="status" className="quiet">
          {done}
        </span>
      </div>
    </form>
  );
}
