import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { User } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { DialogForm } from '../parts/dialog-form.tsx';
import { Field } from '../parts/field.tsx';
import { TextField } from '../parts/text-field.tsx';
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
  if (invite.isSuccess)
    return (
      <Dialog title="Invitation created" onClose={onClose}>
        <ToldOnce
          label={`Invitation link for ${invite.data.email}`}
          secret={invite.data.url}
          note={`Send this link to ${invite.data.email}. It works once, expires in 7 days, and is not shown again.`}
        />
        <button type="button" className="primary" onClick={onClose}>
          Done
        </button>
      </Dialog>
    );
  return (
    <DialogForm title="Invite user" action="Create invitation" mutation={invite} onClose={onClose}>
      <TextField
        label="E-mail"
        pointer="/email"
        error={invite.error}
        type="email"
        required
        autoComplete="off"
        value={email}
        onChange={setEmail}
      />
      <Field
        label="Role"
        hint="Viewers can read, operators can also run jobs, admins can change everything."
        pointer="/role"
        error={invite.error}
      >
        {(control) => (
          <select {...control} value={role} onChange={({ target }) => setRole(target.value as User['role'])}>
            {roles.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        )}
      </Field>
    </DialogForm>
  );
}
