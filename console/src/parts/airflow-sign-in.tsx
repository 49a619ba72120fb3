import type { Job } from '../../../client/operations.ts';
import { Choice, Field } from './field.tsx';

type Auth = NonNullable<Job['webhook_auth']>;

/** How a receiver is signed in to that no fixed header will do for. */
export function AirflowSignIn({
  auth,
  pointer,
  error,
  onChange,
}: {
  auth: Auth | null;
  pointer: string;
  error: unknown;
  onChange: (auth: Auth | null) => void;
}) {
  const change = (fields: Partial<Auth>) =>
    onChange({ type: 'airflow_jwt', username: '', password: '', ...auth, ...fields });
  return (
    <div className="field whole">
      <Choice
        label="Sign in to Airflow 3 for a token that is kept and renewed"
        checked={auth !== null}
        onChange={(checked) => (checked ? change({}) : onChange(null))}
      />
      {auth !== null && (
        <div className="fields inner">
          <Field label="User name" pointer={`${pointer}/username`} error={error}>
            {(control) => (
              <input
                {...control}
                required
                autoComplete="off"
                value={auth.username}
                onChange={({ target }) => change({ username: target.value })}
              />
            )}
          </Field>
          <Field
            label="Password"
            hint={auth.password === '***' ? 'Stored. Write a new one to replace it.' : undefined}
            pointer={`${pointer}/password`}
            error={error}
          >
            {(control) => (
              <input
                {...control}
                type="password"
                required
                autoComplete="new-password"
                value={auth.password}
                onFocus={({ target }) => target.select()}
                onChange={({ target }) => change({ password: target.value })}
              />
            )}
          </Field>
          <Field
            label="Where tokens are fetched"
            hint="Empty: /auth/token on the webhook's host."
            pointer={`${pointer}/token_url`}
            error={error}
          >
            {(control) => (
              <input
                {...control}
                type="url"
                value={auth.token_url ?? ''}
                onChange={({ target }) => {
                  const { token_url: _before, ...rest } = auth;
                  onChange(target.value === '' ? rest : { ...rest, token_url: target.value });
                }}
              />
            )}
          </Field>
        </div>
      )}
    </div>
  );
}
