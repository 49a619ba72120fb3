import type { Job } from '../../../client/operations.ts';
import { Choice } from './field.tsx';
import { TextField } from './text-field.tsx';

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
        label="Authenticate with Airflow 3 (fetches and renews a token)"
        checked={auth !== null}
        onChange={(checked) => (checked ? change({}) : onChange(null))}
      />
      {auth !== null && (
        <div className="fields inner">
          <TextField
            label="Username"
            pointer={`${pointer}/username`}
            error={error}
            required
            autoComplete="off"
            value={auth.username}
            onChange={(username) => change({ username })}
          />
          <TextField
            label="Password"
            hint={auth.password === '***' ? 'Stored. Enter a new one to replace it.' : undefined}
            pointer={`${pointer}/password`}
            error={error}
            type="password"
            required
            autoComplete="new-password"
            value={auth.password}
            onFocus={({ target }) => target.select()}
            onChange={(password) => change({ password })}
          />
          <TextField
            label="Token URL"
            hint="Default: /auth/token on the webhook's host."
            pointer={`${pointer}/token_url`}
            error={error}
            type="url"
            value={auth.token_url ?? ''}
            onChange={(text) => {
              const { token_url: _before, ...rest } = auth;
              onChange(text === '' ? rest : { ...rest, token_url: text });
            }}
          />
        </div>
      )}
    </div>
  );
}
