import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api } from '../api.ts';
import type { Token } from '../../../client/operations.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';

const scopes: [scope: Token['scope'], said: string][] = [
  ['read', 'Read: projects, jobs, runs, logs, artifacts'],
  ['trigger', 'Trigger: also run, cancel and retry'],
  ['admin', 'Admin: everything'],
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
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Dialog title="New API token" onClose={onClose}>
      <form onSubmit={submit}>
        <Field label="Name" hint="Who uses it, such as: airflow." pointer="/name" error={make.error}>
          {(control) => (
            <input {...control} required value={name} onChange={({ target }) => setName(target.value)} />
          )}
        </Field>
        <Field label="What it may" pointer="/scope" error={make.error}>
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
        <Field label="Good for" pointer="/expires_at" error={make.error}>
          {(control) => (
            <select {...control} value={lasts} onChange={({ target }) => setLasts(target.value)}>
              <option value="">as long as nobody revokes it</option>
              {days.map((each) => (
                <option key={each} value={each}>
                  {each} days
                </option>
              ))}
            </select>
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

function endAfter(lasts: string): string | null {
  return lasts === '' ? null : new Date(Date.now() + Number(lasts) * 86_400_000).toISOString();
}
