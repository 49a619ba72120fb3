import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Answer } from '../../../client/client.ts';
import type { EventSource } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';

export const styles: Record<EventSource['auth'], string> = {
  token: 'a token',
  standard_webhooks: 'a signature of Standard Webhooks',
  github: "GitHub's signature",
  stripe: "Stripe's signature",
};

export function NewSource({
  onClose,
  onMade,
}: {
  onClose: () => void;
  onMade: (source: Answer<'createEventSource'>) => Promise<unknown>;
}) {
  const [name, setName] = useState('');
  const [auth, setAuth] = useState<EventSource['auth']>('token');
  const [idField, setIdField] = useState('');
  const [secret, setSecret] = useState('');
  const make = useMutation({
    mutationFn: () =>
      api().call('createEventSource', {
        body: {
          name,
          auth,
          ...(idField === '' ? {} : { id_field: idField }),
          ...(secret === '' ? {} : { secret }),
        },
      }),
    onSuccess: onMade,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Dialog title="New source" onClose={onClose}>
      <form onSubmit={submit}>
        <Field label="Name" pointer="/name" error={make.error}>
          {(control) => (
            <input
              {...control}
              required
              placeholder="erathos"
              value={name}
              onChange={({ target }) => setName(target.value)}
            />
          )}
        </Field>
        <Field label="Shows that it is it by" pointer="/auth" error={make.error}>
          {(control) => (
            <select
              {...control}
              value={auth}
              onChange={({ target }) => setAuth(target.value as EventSource['auth'])}
            >
              {Object.entries(styles).map(([style, said]) => (
                <option key={style} value={style}>
                  {said}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field
          label="Field that is an event's id"
          hint="Empty: the header or field that such senders use."
          pointer="/id_field"
          error={make.error}
        >
          {(control) => (
            <input
              {...control}
              className="mono"
              placeholder="data.id"
              value={idField}
              onChange={({ target }) => setIdField(target.value)}
            />
          )}
        </Field>
        <Field
          label="Secret"
          hint="Where the sender makes it itself. Empty: one is made."
          pointer="/secret"
          error={make.error}
        >
          {(control) => (
            <input
              {...control}
              type="password"
              autoComplete="new-password"
              value={secret}
              onChange={({ target }) => setSecret(target.value)}
            />
          )}
        </Field>
        {make.isError && <Problem error={make.error} />}
        <div className="actions">
          <button type="submit" className="primary" disabled={make.isPending}>
            Make it
          </button>
          <button type="button" onClick={onClose}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
