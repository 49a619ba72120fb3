import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { Answer } from '../../../client/client.ts';
import type { EventSource } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { DialogForm } from '../parts/dialog-form.tsx';
import { Field } from '../parts/field.tsx';
import { TextField } from '../parts/text-field.tsx';

export const styles: Record<EventSource['auth'], string> = {
  token: 'bearer token',
  standard_webhooks: 'Standard Webhooks signature',
  github: 'GitHub signature',
  stripe: 'Stripe signature',
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
  return (
    <DialogForm title="New source" action="Create" mutation={make} onClose={onClose}>
      <TextField
        label="Name"
        pointer="/name"
        error={make.error}
        required
        placeholder="erathos"
        value={name}
        onChange={setName}
      />
      <Field label="Authentication" pointer="/auth" error={make.error}>
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
      <TextField
        label="Event ID field"
        hint="Default: the sender's usual header or field."
        pointer="/id_field"
        error={make.error}
        className="mono"
        placeholder="data.id"
        value={idField}
        onChange={setIdField}
      />
      <TextField
        label="Secret"
        hint="Only if the sender provides one. Default: generated."
        pointer="/secret"
        error={make.error}
        type="password"
        autoComplete="new-password"
        value={secret}
        onChange={setSecret}
      />
    </DialogForm>
  );
}
