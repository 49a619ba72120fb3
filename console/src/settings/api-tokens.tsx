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
        For scripts, schedulers and the command line: <code>Authorization: Bearer dctl_…</code>
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
          label={`The token ${made.name}`}
          secret={made.token}
          note={`Take ${made.name} along now: it is stored nowhere, and never shown again.`}
          onDone={() => setMade(null)}
        />
      )}
      <Choice label="Revoked and expired ones too" checked={withRevoked} onChange={setWithRevoked} />
      {list.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Token</th>
              <th scope="col">May</th>
              <th scope="col">Made</th>
              <th scope="col">Last used</th>
              <th scope="col">Good until</th>
              <th scope="col">
                <span className="unseen">Revoke it</span>
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
      <ListEnd list={list} empty="There are none." more="Older tokens" />
    </section>
  );
}

const may: Record<Token['scope'], string> = {
  read: 'read',
  trigger: 'read, trigger',
  admin: 'everything',
};

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
      <td data-label="may">{may[token.scope]}</td>
      <td data-label="made">
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
      <td data-label="good until">
        {token.revoked_at !== null ? (
          <span className="badge bad">revoked</span>
        ) : token.expires_at === null ? (
          <span className="quiet">it is revoked</span>
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
              <p>Whoever uses it is refused from the next request on. It cannot be made good again.</p>
            </ConfirmedAction>
          </div>
        )}
      </td>
    </tr>
  );
}
