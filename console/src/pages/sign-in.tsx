import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { DctlClient } from '../../../client/client.ts';
import { Problem } from '../parts/problem.tsx';

export function SignIn() {
  const navigate = useNavigate();
  const { state } = useLocation() as { state: { from?: string } | null };
  const queries = useQueryClient();
  const signIn = useMutation({
    mutationFn: (body: { email: string; password: string }) => new DctlClient().call('signIn', { body }),
    onSuccess: async (session) => {
      queries.setQueryData(['session'], session);
      await navigate(state?.from ?? '/runs', { replace: true });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    signIn.mutate({ email: form.get('email') as string, password: form.get('password') as string });
  };
  return (
    <main className="sign-in">
      <title>Sign in · dctl</title>
      <h1>dctl</h1>
      <form onSubmit={submit}>
        <label>
          E-mail
          <input name="email" type="email" autoComplete="username" required autoFocus />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        {signIn.isError && <Problem error={signIn.error} />}
        <button type="submit" className="primary" disabled={signIn.isPending}>
          Sign in
        </button>
      </form>
    </main>
  );
}
