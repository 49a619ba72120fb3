import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useLocation, useNavigate, useSearchParams } from 'react-router';
import { DctlClient } from '../../../client/client.ts';
import { Problem } from '../parts/problem.tsx';

/** Why nobody came back signed in from the other server. */
const refusals: Record<string, string> = {
  again: 'Sign-in was cancelled or timed out. Try again.',
  provider: 'The identity provider is unavailable. Try again in a moment.',
  unverified: 'Your identity provider has not verified your e-mail address.',
  unknown: 'No account has your e-mail address. Ask an admin for an invitation.',
};

export function SignIn() {
  const [query] = useSearchParams();
  const refused = refusals[query.get('refused') ?? ''];
  const ways = useQuery({
    queryKey: ['sign-in-ways'],
    queryFn: ({ signal }) => new DctlClient().call('listSignInWays', {}, { signal }),
    staleTime: Infinity,
  });
  const openId = ways.data?.open_id ?? null;
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
        {signIn.isError ? (
          <Problem error={signIn.error} />
        ) : (
          refused !== undefined && <Problem error={new Error(refused)} />
        )}
        <button type="submit" className="primary" disabled={signIn.isPending}>
          Sign in
        </button>
      </form>
      {openId !== null && (
        <p>
          <a
            className="button"
            href={`${openId.begin_url}?to=${encodeURIComponent(`/console${state?.from ?? '/runs'}`)}`}
          >
            Sign in with {openId.name}
          </a>
        </p>
      )}
    </main>
  );
}
