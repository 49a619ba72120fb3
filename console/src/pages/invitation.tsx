import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent } from 'react';
import { Link, useNavigate } from 'react-router';
import { DctlClient } from '../../../client/client.ts';
import { chooseOrganization } from '../api.ts';
import { Problem } from '../parts/problem.tsx';

/** What the link that somebody was sent leads to: an account, and the organization. */
export function Invitation() {
  const [token] = useState(() => location.hash.slice(1));
  // It is not to stay in the address, nor in the browser's history.
  useEffect(() => history.replaceState(history.state, '', location.pathname), []);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { data: invitation, error } = useQuery({
    queryKey: ['invitation', token],
    queryFn: ({ signal }) => new DctlClient().call('lookUpInvitation', { body: { token } }, { signal }),
    staleTime: Infinity,
    retry: false,
  });
  const accept = useMutation({
    mutationFn: (body: { email?: string; password: string }) =>
      new DctlClient().call('acceptInvitation', { body: { token, ...body } }),
    onSuccess: async (session) => {
      queries.clear();
      queries.setQueryData(['session'], session);
      const joined = session.organizations.find(({ name }) => name === invitation?.organization_name);
      if (joined !== undefined) chooseOrganization(joined.id);
      await navigate('/runs', { replace: true });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const email = form.get('email');
    accept.mutate({
      password: form.get('password') as string,
      ...(typeof email === 'string' && invitation?.email === null ? { email } : {}),
    });
  };
  return (
    <main className="sign-in">
      <title>Invitation · dctl</title>
      <h1>dctl</h1>
      {error !== null && (
        <>
          <Problem error={error} />
          <p>
            <Link to="/sign-in">Sign in</Link>
          </p>
        </>
      )}
      {invitation !== undefined && (
        <form onSubmit={submit}>
          <p>
            You have been invited to join <strong>{invitation.organization_name}</strong> as {invitation.role}
            .
          </p>
          <label>
            E-mail
            <input
              name="email"
              type="email"
              autoComplete="username"
              required
              defaultValue={invitation.email ?? ''}
              readOnly={invitation.email !== null}
              autoFocus={invitation.email === null}
            />
          </label>
          <label>
            {invitation.has_account ? 'Your password' : 'Choose a password (at least 12 characters)'}
            <input
              name="password"
              type="password"
              autoComplete={invitation.has_account ? 'current-password' : 'new-password'}
              minLength={invitation.has_account ? undefined : 12}
              required
              autoFocus={invitation.email !== null}
            />
          </label>
          {accept.isError && <Problem error={accept.error} />}
          <button type="submit" className="primary" disabled={accept.isPending}>
            Accept invitation
          </button>
        </form>
      )}
    </main>
  );
}
