import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Token } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { Choice } from '../parts/field.tsx';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';
import { Ago } from '../parts/time.tsx';
import { ToldOnce } from '../parts/told-once.tsx';
import { When } from '../parts/when.tsx';
import { NewToken } from './new-token.tsx';

/** What scripts and schedulers sign in with. */
export function ApiTokens() {
  const queries = useQueryClient();
  const [withRevoked, setWithRevoked] = useState(false);
  const [isNew, setNew] = useState(false);
  const [made, setMade] = useState<{ name: string; token: string } | null>(null);
  const list = useList<Token>(['tokens', withRevoked], (cursor, signal) =>
    api().call(
      'listTokens',
      {
        query: { limit: 50, ...(withRevoked ? { include_revoked: '1' as const } : {}), ...cursorOf(cursor) },
      },
      { signal },
    ),
  );
  const refresh = () => queries.invalidateQueries({ queryKey: ['tokens'] });
  return (
    <section className="card">
      <title>API Tokens · dctl</title>
      <div className="card-head">
        <h2>API Tokens</h2>
        <button type="button" className="primary" onClick={() => setNew(true)}>
          New token
        </button>
      </div>
      <p className="hint">
        For scripts, schedulers and the command line. Send them as <code>Authorization: Bearer dctl_…</code>
      </p>
      {isNew && (
        <NewToken
          onClose={() => setNew(false)}
          onMade={async (token) => {
            setNew(false);
            setMade(token);
            await refresh();
          }}
        />
      )}
      {made !== null && (
        <ToldOnce
          label={`Token ${made.name}`}
          secret={made.token}
          note={`Copy the token ${made.name} now. It is not shown again.`}
          onDone={() => setMade(null)}
        />
      )}
      <Choice label="Show revoked and expired tokens" checked={withRevoked} onChange={setWithRevoked} />
      {list.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Scope</th>
              <th scope="col">Created</th>
              <th scope="col">Last used</th>
              <th scope="col">Expires</th>
              <th scope="col">
                <span className="unseen">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {list.items.map((token) => (
              <TokenRow key={token.id} token={token} onRevoked={refresh} />
            ))}
          </tbody>
        </table>
      )}
      <ListEnd
        list={list}
        empty="No tokens yet. Create one for Airflow, CI or the command line."
        more="Older tokens"
      />
    </section>
  );
}

function TokenRow({ token, onRevoked }: { token: Token; onRevoked: () => Promise<unknown> }) {
  const isOver =
    token.revoked_at !== null || (token.expires_at !== null && Date.parse(token.expires_at) < Date.now());
  return (
    <tr>
      <td className="wrap">
        <strong>{token.name}</strong>
        <code className="command">
          {token.prefix}…{token.last_four}
        </code>
      </td>
      <td data-label="scope">{token.scope}</td>
      <td data-label="created">
        <Ago time={token.created_at} />
        {token.created_by !== null && <span className="quiet"> by {token.created_by}</span>}
      </td>
      <td data-label="last used">
        {token.last_used_at === null ? (
          <span className="quiet">never</span>
        ) : (
          <Ago time={token.last_used_at} />
        )}
      </td>
      <td data-label="expires">
        {token.revoked_at !== null ? (
          <span className="badge bad">revoked</span>
        ) : token.expires_at === null ? (
          <span className="quiet">never</span>
        ) : isOver ? (
          <span className="badge warn">expired</span>
        ) : (
          <When time={token.expires_at} />
        )}
      </td>
      <td>
        {!isOver && (
          <div className="actions">
            <ConfirmedAction
              name="Revoke"
              about={token.name}
              question={`Revoke ${token.name}?`}
              run={async () => {
                await api().call('revokeToken', { path: { token_id: token.id } });
                await onRevoked();
              }}
            >
              <p>Requests with this token are refused at once. This cannot be undone.</p>
            </ConfirmedAction>
          </div>
        )}
      </td>
    </tr>
  );
}
