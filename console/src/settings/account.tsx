import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { Field } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { useSession } from '../session.tsx';

/** One's own: the password, the sessions, what one may do where. */
export function Account() {
  const { session } = useSession();
  const queries = useQueryClient();
  const navigate = useNavigate();
  return (
    <>
      <title>Your account · dctl</title>
      <section className="card">
        <h2>{session.user.email}</h2>
        <ul>
          {session.organizations.map(({ id, name, role }) => (
            <li key={id}>
              {role} of {name}
            </li>
          ))}
          {session.user.is_server_admin && <li>admin of the server: may make further organizations</li>}
        </ul>
      </section>
      <Password />
      <section className="card">
        <div className="card-head">
          <h2>Sessions</h2>
          <ConfirmedAction
            name="End all sessions"
            question="End all of your sessions?"
            run={async () => {
              await api().call('endAllSessions');
              queries.clear();
              await navigate('/sign-in');
            }}
          >
            <p>You are signed out here and wherever else you are signed in.</p>
          </ConfirmedAction>
        </div>
        <p className="hint">Here and wherever else you are signed in. API tokens stay.</p>
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
          <Field label="Current password" pointer="/current_password" error={changing.error}>
            {(control) => (
              <input
                {...control}
                type="password"
                required
                autoComplete="current-password"
                value={current}
                onChange={({ target }) => setCurrent(target.value)}
              />
            )}
          </Field>
          <Field
            label="New password"
            hint="All your other sessions end."
            pointer="/new_password"
            error={changing.error}
          >
            {(control) => (
              <input
                {...control}
                type="password"
                required
                autoComplete="new-password"
                value={wanted}
                onChange={({ target }) => setWanted(target.value)}
              />
            )}
          </Field>
        </div>
        {changing.isError && <Problem error={changing.error} />}
        <div className="actions">
          <button type="submit" disabled={changing.isPending}>
            Change the password
          </button>
          <span role="status" className="quiet">
            {changing.isSuccess && 'Changed.'}
          </span>
        </div>
      </form>
    </section>
  );
}
