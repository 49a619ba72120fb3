import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Environment } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { TextField } from '../parts/text-field.tsx';
import { FormProblem } from '../parts/form-problem.tsx';
import { Problem } from '../parts/problem.tsx';
import { Ago } from '../parts/time.tsx';
import { useSession } from '../session.tsx';
import { pathOf } from './save-environment.ts';

/** Environment variables whose values nobody is shown. */
export function Secrets({ environment }: { environment: Environment }) {
  const { may } = useSession();
  const queries = useQueryClient();
  const queryKey = ['secrets', environment.id];
  const secrets = useQuery({
    queryKey,
    queryFn: ({ signal }) => api().call('listSecrets', { path: pathOf(environment) }, { signal }),
  });
  const refresh = () => queries.invalidateQueries({ queryKey });
  return (
    <section className="card">
      <h2>Secrets</h2>
      <p className="hint">
        Environment variables whose values are encrypted, never shown, and masked in logs.
      </p>
      {secrets.isError && <Problem error={secrets.error} again={() => void secrets.refetch()} />}
      {secrets.data !== undefined && secrets.data.data.length > 0 && (
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
            {secrets.data.data.map(({ name, updated_at: time, updated_by: by }) => (
              <tr key={name}>
                <td className="wrap">
                  <code>{name}</code>
                </td>
                <td>
                  <Ago time={time} /> <span className="quiet">by {by}</span>
                </td>
                <td>
                  {may('admin') && (
                    <div className="actions">
                      <ConfirmedAction
                        name="Delete"
                        about={name}
                        question={`Delete ${name}?`}
                        run={async () => {
                          await api().call('deleteSecret', { path: { ...pathOf(environment), name } });
                          await refresh();
                        }}
                      >
                        <p>New runs no longer have it.</p>
                      </ConfirmedAction>
                    </div>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {secrets.data?.data.length === 0 && <p className="quiet">No secrets yet.</p>}
      {may('admin') && <SetSecret environment={environment} onSet={refresh} />}
    </section>
  );
}

function SetSecret({ environment, onSet }: { environment: Environment; onSet: () => Promise<unknown> }) {
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [done, setDone] = useState('');
  const setting = useMutation({
    mutationFn: () => api().call('setSecret', { path: { ...pathOf(environment), name }, body: { value } }),
    onSuccess: async () => {
      setDone(`${name} is set.`);
      setName('');
      setValue('');
      await onSet();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setDone('');
    setting.mutate();
  };
  return (
    <form onSubmit={submit} className="set-secret">
      <div className="fields">
        <TextField
          label="Secret name"
          hint="An existing secret is replaced."
          className="mono"
          required
          autoComplete="off"
          spellCheck={false}
          placeholder="DBT_ENV_SECRET_PASSWORD"
          value={name}
          onChange={setName}
        />
        <TextField
          label="Secret value"
          pointer="/value"
          error={setting.error}
          type="password"
          required
          autoComplete="new-password"
          value={value}
          onChange={setValue}
        />
      </div>
      {setting.isError && <FormProblem error={setting.error} />}
      <div className="actions">
        <button type="submit" disabled={setting.isPending}>
          Set secret
        </button>
        <span role="status" className="quiet">
          {done}
        </span>
      </div>
    </form>
  );
}
