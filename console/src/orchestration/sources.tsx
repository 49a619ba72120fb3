import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { EventSource } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Action, ConfirmedAction } from '../parts/action.tsx';
import { Problem } from '../parts/problem.tsx';
import { ToldOnce } from '../parts/told-once.tsx';
import { useSession } from '../session.tsx';
import { useSources } from './lists.ts';
import { NewSource, styles } from './new-source.tsx';

/** Where events come from, and how each shows that it is it. */
export function Sources() {
  const sources = useSources();
  const { may } = useSession();
  const queries = useQueryClient();
  const [isNew, setNew] = useState(false);
  const [told, setTold] = useState<{ source: EventSource; secret: string } | null>(null);
  const refresh = () => queries.invalidateQueries({ queryKey: ['event sources'] });
  return (
    <section className="card">
      <div className="card-head">
        <h2>Sources</h2>
        {may('admin') && (
          <button type="button" className="primary" onClick={() => setNew(true)}>
            New source
          </button>
        )}
      </div>
      {isNew && (
        <NewSource
          onClose={() => setNew(false)}
          onMade={async ({ secret, ...source }) => {
            setNew(false);
            setTold({ source, secret });
            await refresh();
          }}
        />
      )}
      {told !== null && (
        <ToldOnce
          label={`Secret of ${told.source.name}`}
          secret={told.secret}
          note={`Copy the secret of ${told.source.name} now. It is not shown again. ${howToSend(told.source)}`}
          onDone={() => setTold(null)}
        />
      )}
      {sources.isError && <Problem error={sources.error} again={() => void sources.refetch()} />}
      {sources.data?.length === 0 && (
        <p className="empty">
          No sources yet. A source is any tool that sends JSON over HTTP, such as an ingestion tool.
        </p>
      )}
      {sources.data !== undefined && sources.data.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Source</th>
              <th scope="col">Authentication</th>
              <th scope="col">Endpoint</th>
              <th scope="col">
                <span className="unseen">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {sources.data.map((source) => (
              <tr key={source.id}>
                <td className="wrap">
                  <strong>{source.name}</strong>{' '}
                  {!source.is_active && <span className="badge warn">disabled</span>}
                </td>
                <td>{styles[source.auth]}</td>
                <td className="wrap">
                  <code>POST /api/v1/events/{source.id}</code>
                </td>
                <td>
                  {may('admin') && (
                    <SourceActions
                      source={source}
                      onChanged={refresh}
                      onRotated={(secret) => setTold({ source, secret })}
                    />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function SourceActions({
  source,
  onChanged,
  onRotated,
}: {
  source: EventSource;
  onChanged: () => Promise<unknown>;
  onRotated: (secret: string) => void;
}) {
  const path = { source_id: source.id };
  return (
    <div className="actions">
      <Action
        name={source.is_active ? 'Disable' : 'Enable'}
        about={source.name}
        run={async () => {
          await api().call('changeEventSource', { path, body: { is_active: !source.is_active } });
          await onChanged();
        }}
      />
      <ConfirmedAction
        name="Rotate secret"
        about={source.name}
        className="primary"
        question={`Rotate the secret of ${source.name}?`}
        run={async () => {
          const { secret } = await api().call('rotateEventSourceSecret', { path, body: {} });
          onRotated(secret);
        }}
      >
        <p>The current secret stops working at once.</p>
      </ConfirmedAction>
      <ConfirmedAction
        name="Delete"
        about={source.name}
        question={`Delete ${source.name}?`}
        run={async () => {
          await api().call('deleteEventSource', { path });
          await onChanged();
        }}
      >
        <p>New events are refused. Events already received are kept.</p>
      </ConfirmedAction>
    </div>
  );
}

function howToSend({ auth, id }: EventSource): string {
  const where = `Send events to POST /api/v1/events/${id}`;
  return auth === 'token'
    ? `${where} with Authorization: Bearer and this secret.`
    : `${where}, signed with it.`;
}
