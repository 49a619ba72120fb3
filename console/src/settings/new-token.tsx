import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api.ts';
import type { Token } from '../../../client/operations.ts';
import { DialogForm } from '../parts/dialog-form.tsx';
import { Field } from '../parts/field.tsx';
import { TextField } from '../parts/text-field.tsx';

const scopes: [scope: Token['scope'], said: string][] = [
  ['read', 'read: view projects, jobs, runs, logs, artifacts'],
  ['trigger', 'trigger: also trigger, cancel and retry runs'],
  ['admin', 'admin: full access'],
];
const days = [30, 90, 365];

export function NewToken({
  onClose,
  onMade,
}: {
  onClose: () => void;
  onMade: (token: { name: string; token: string }) => Promise<unknown>;
}) {
  const [name, setName] = useState('');
  const [scope, setScope] = useState<Token['scope']>('trigger');
  const [lasts, setLasts] = useState('');
  const make = useMutation({
    mutationFn: () => api().call('createToken', { body: { name, scope, expires_at: endAfter(lasts) } }),
    onSuccess: onMade,
  });
  return (
    <DialogForm title="New API token" action="Create" mutation={make} onClose={onClose}>
      <TextField
        label="Name"
        hint="What uses it, for example airflow."
        pointer="/name"
        error={make.error}
        required
        value={name}
        onChange={setName}
      />
      <Field label="Scope" pointer="/scope" error={make.error}>
        {(control) => (
          <select
            {...control}
            value={scope}
            onChange={({ target }) => setScope(target.value as Token['scope'])}
          >
            {scopes.map(([each, said]) => (
              <option key={each} value={each}>
                {said}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Expires" pointer="/expires_at" error={make.error}>
        {(control) => (
          <select {...control} value={lasts} onChange={({ target }) => setLasts(target.value)}>
            <option value="">never</option>
            {days.map((each) => (
              <option key={each} value={each}>
                in {each} days
              </option>
            ))}
          </select>
        )}
      </Field>
    </DialogForm>
  );
}

function endAfter(lasts: string): string | null {
  return lasts === '' ? null : new Date(Date.now() + Number(lasts) * 86_400_000).toISOString();
}
