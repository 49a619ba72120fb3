import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { TextField } from '../parts/text-field.tsx';
import { Problem } from '../parts/problem.tsx';
import { useSession } from '../session.tsx';

/** One's own: the password, the sessions, what one may do where. */
export function Account() {
  const { session } = useSession();
  const queries = useQueryClient();
  const navigate = useNavigate();
  return (
    <>
      <title>Account · dctl</title>
      <section className="card">
        <h2>{session.user.email}</h2>
        <ul>
          {session.organizations.map(({ id, name, role }) => (
            <li key={id}>
              {name}: {role}
            </li>
          ))}
          {session.user.is_server_admin && <li>server admin: can create organizations</li>}
        </ul>
      </section>
      <Password />
      <section className="card">
        <div className="card-head">
          <h2>Sessions</h2>
          <ConfirmedAction
            name="Sign out everywhere"
            question="Sign out everywhere?"
            run={async () => {
              await api().call('endAllSessions');
              queries.clear();
              await navigate('/sign-in');
            }}
          >
            <p>This ends your sessions in all browsers, including this one.</p>
          </ConfirmedAction>
        </div>
        <p className="hint">Ends your sessions in all browsers. API tokens are not affected.</p>
      </section>
    </>
  );
}

function Password() {
  const { session } = useSession();
  const [current, setCurrent] = useState('');
  const [wanted, setWanted] = useState('');
  const changing = useMutation({
    mutationFn: () =>
      api().call('changePassword', { body: { current_password: current, new_password: wanted } }),
    onSuccess: () => {
      setCurrent('');
      setWanted('');
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    changing.mutate();
  };
  return (
    <section className="card">
      <h2>Password</h2>
      <form onSubmit={submit}>
        <input type="hidden" name="username" autoComplete="username" value={session.user.email} readOnly />
        <div className="fields">
          <TextField
            label="Current password"
            pointer="/current_password"
            error={changing.error}
            type="password"
            required
            autoComplete="current-password"
            value={current}
            onChange={setCurrent}
          />
          <TextField
            label="New password"
            hint="At least 12 characters. Your other sessions are signed out."
            pointer="/new_password"
            error={changing.error}
            type="password"
            required
            autoComplete="new-password"
            value={wanted}
            onChange={setWanted}
          />
        </div>
        {changing.isError && <Problem error={changing.error} />}
        <div className="actions">
          <button type="submit" disabled={changing.isPending}>
            Change password
          </button>
          <span role="status" className="quiet">
            {changing.isSuccess && 'Password changed.'}
          </span>
        </div>
      </form>
    </section>
  );
}
