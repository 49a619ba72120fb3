import { useSearchParams } from 'react-router';
import type { AuditEvent } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';
import { Ago } from '../parts/time.tsx';
import { SubjectLink } from './subject-link.tsx';

/** Who did what. What is looked for stands in the address. */
export function Audit() {
  const [asked, setAsked] = useSearchParams();
  const action = asked.get('action') ?? '';
  const subject = asked.get('subject') ?? '';
  const list = useList<AuditEvent>(['audit', action, subject], (cursor, signal) =>
    api().call(
      'listAuditEvents',
      {
        query: {
          limit: 50,
          ...(action === '' ? {} : { action }),
          ...(subject === '' ? {} : { subject_id: subject }),
          ...cursorOf(cursor),
        },
      },
      { signal },
    ),
  );
  const look = (name: string, value: string) => {
    const next = new URLSearchParams(asked);
    if (value === '') next.delete(name);
    else next.set(name, value);
    setAsked(next, { replace: true });
  };
  return (
    <section className="card">
      <title>Audit log · dctl</title>
      <div className="card-head">
        <h2>Audit log</h2>
      </div>
      <div className="filters">
        <label>
          Action{' '}
          <input
            type="search"
            value={action}
            placeholder="job.changed"
            onChange={({ target }) => look('action', target.value)}
          />
        </label>
        <label>
          Subject ID{' '}
          <input type="search" value={subject} onChange={({ target }) => look('subject', target.value)} />
        </label>
      </div>
      {list.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Actor</th>
              <th scope="col">Action</th>
              <th scope="col">Details</th>
            </tr>
          </thead>
          <tbody>
            {list.items.map((event) => (
              <tr key={event.id}>
                <td className="nowrap">
                  <Ago time={event.created_at} />
                </td>
                <td className="person">
                  {event.actor.name}
                  <div className="quiet">
                    {event.actor.kind}
                    {event.address !== null && `, ${event.address}`}
                  </div>
                </td>
                <td className="wrap">
                  <button type="button" className="link" onClick={() => look('action', event.action)}>
                    <code>{event.action}</code>
                  </button>
                  <div className="quiet">
                    {event.subject.kind} <SubjectLink subject={event.subject} details={event.details} />
                  </div>
                </td>
                <td className="audit-details">
                  <Details of={event.details} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ListEnd
        list={list}
        empty={action === '' && subject === '' ? 'No entries yet.' : 'No entries match these filters.'}
        more="Older entries"
      />
    </section>
  );
}

function Details({ of }: { of: AuditEvent['details'] }) {
  const entries = Object.entries(of ?? {}).filter(([, value]) => value !== null);
  if (entries.length === 0) return null;
  return (
    <dl>
      {entries.map(([name, value]) => (
        <div key={name} className="detail">
          <dt>{name.replaceAll('_', ' ')}</dt>
          <dd>{readable(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** As somebody would say it: "a, b", or "name: a, statuses: b, c". */
function readable(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(readable).join(', ');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .filter(([, each]) => each !== null)
    .map(([name, each]) => `${name.replaceAll('_', ' ')}: ${readable(each)}`)
    .join(', ');
}
