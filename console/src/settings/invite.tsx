import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { User } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { ToldOnce } from '../parts/told-once.tsx';
import { roles } from './roles.ts';

/** Makes a link for somebody to become a member with. */
export function Invite({ onClose, onInvited }: { onClose: () => void; onInvited: () => Promise<unknown> }) {
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<User['role']>('viewer');
  const invite = useMutation({
    mutationFn: () => api().call('inviteUser', { body: { email, role } }),
    onSuccess: onInvited,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    invite.mutate();
  };
  if (invite.isSuccess)
    return (
      <Dialog title="Invited" onClose={onClose}>
        <ToldOnce
          label={`Invitation of ${invite.data.email}`}
          secret={invite.data.url}
          note={`Send ${invite.data.email} this link: it is good for a week, once, and never shown again.`}
        />
        <button type="button" className="primary" onClick={onClose}>
          Done
        </button>
      </Dialog>
    );
  return (
    <Dialog title="Invite somebody" onClose={onClose}>
      <form onSubmit={submit}>
        <Field label="E-mail" pointer="/email" error={invite.error}>
          {(control) => (
            <input
              {...control}
              type="email"
              required
              autoComplete="off"
              value={email}
              onChange={({ target }) => setEmail(target.value)}
            />
          )}
        </Field>
        <Field
          label="Role"
          hint="Viewers read, operators run jobs too, admins do everything."
          pointer="/role"
          error={invite.error}
        >
          {(control) => (
            <select
              {...control}
              value={role}
              onChange={({ target }) => setRole(target.value as User['role'])}
            >
              {roles.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
        {invite.isError && <Problem error={invite.error} />}
        <div className="actions">
          <button type="submit" className="primary" disabled={invite.isPending}>
            Make the link
          </button>
          <button type="button" onClick={onClose}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
