import { Link } from 'react-router';
import type { Hook } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';
import { useSession } from '../session.tsx';

/** Requests of one's own that are sent when runs end. */
export function Hooks() {
  const { may } = useSession();
  const list = useList<Hook>(['hooks'], (cursor, signal) =>
    api().call('listHooks', { query: { limit: 100, ...cursorOf(cursor) } }, { signal }),
  );
  return (
    <section className="card">
      <div className="card-head">
        <h2>Hooks</h2>
        {may('admin') && (
          <Link className="button" to="/orchestration/hooks/new">
            New hook
          </Link>
        )}
      </div>
      <p className="hint">Custom HTTP requests, sent when a run ends and all conditions match.</p>
      {list.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Hook</th>
              <th scope="col">Request</th>
              <th scope="col">Jobs</th>
            </tr>
          </thead>
          <tbody>
            {list.items.map((hook) => (
              <tr key={hook.id}>
                <td className="wrap">
                  <Link to={`/orchestration/hooks/${hook.id}`}>
                    <strong>{hook.description || hook.url}</strong>
                  </Link>{' '}
                  {!hook.is_active && <span className="badge warn">disabled</span>}
                </td>
                <td className="wrap">
                  <code>
                    {hook.method} {hook.url}
                  </code>
                </td>
                <td>
                  {hook.jobs.length === 0
                    ? 'all jobs'
                    : `${hook.jobs.length} job${hook.jobs.length === 1 ? '' : 's'}`}
                  {hook.rules.length > 0 && (
                    <span className="quiet">
                      {' '}
                      {hook.rules.length} condition{hook.rules.length === 1 ? '' : 's'}
                    </span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ListEnd
        list={list}
        empty="No hooks yet. Create one to call another system when runs end."
        more="More hooks"
      />
    </section>
  );
}
