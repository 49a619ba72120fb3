import { Link, useSearchParams } from 'react-router';
import type { Event } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';
import { Ago } from '../parts/time.tsx';
import { useRules, useSources } from './lists.ts';
import { VerdictBadge, verdicts } from './verdict-badge.tsx';

type Verdict = keyof typeof verdicts;

/** What came from outside, and what became of it. */
export function Events() {
  const [asked, setAsked] = useSearchParams();
  const sources = useSources();
  const rules = useRules();
  const filter = {
    source: asked.get('source') ?? '',
    rule: asked.get('rule') ?? '',
    verdict: (Object.keys(verdicts) as Verdict[]).find((each) => each === asked.get('verdict')) ?? '',
  } as const;
  const look = (change: Partial<Record<keyof typeof filter, string>>) =>
    setAsked(
      Object.fromEntries(Object.entries({ ...filter, ...change }).filter(([, value]) => value !== '')),
      { replace: true },
    );
  const list = useList<Event>(
    ['events', filter],
    (cursor, signal) =>
      api().call(
        'listEvents',
        {
          query: {
            limit: 50,
            ...(filter.source === '' ? {} : { source_id: filter.source }),
            ...(filter.rule === '' ? {} : { rule_id: filter.rule }),
            ...(filter.verdict === '' ? {} : { verdict: filter.verdict }),
            ...cursorOf(cursor),
          },
        },
        { signal },
      ),
    { refetchInterval: 3_000 },
  );
  const isNarrowed = Object.values(filter).some((value) => value !== '');
  return (
    <section className="card">
      <div className="filters">
        <label>
          Source{' '}
          <select value={filter.source} onChange={({ target }) => look({ source: target.value })}>
            <option value="">all</option>
            {sources.data?.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Rule{' '}
          <select value={filter.rule} onChange={({ target }) => look({ rule: target.value })}>
            <option value="">all</option>
            {rules.data?.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Result{' '}
          <select value={filter.verdict} onChange={({ target }) => look({ verdict: target.value })}>
            <option value="">all</option>
            {Object.entries(verdicts).map(([verdict, { said }]) => (
              <option key={verdict} value={verdict}>
                {said}
              </option>
            ))}
          </select>
        </label>
      </div>
      {list.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Event</th>
              <th scope="col">Source</th>
              <th scope="col">Received</th>
              <th scope="col">Result</th>
            </tr>
          </thead>
          <tbody>
            {list.items.map((event) => (
              <tr key={event.id}>
                <td className="wrap">
                  <Link to={`/orchestration/events/${event.id}`}>{event.external_id ?? event.id}</Link>
                </td>
                <td className="wrap">{event.source_name}</td>
                <td className="nowrap">
                  <Ago time={event.received_at} />
                </td>
                <td>
                  {event.verdicts.length === 0 && <span className="quiet">no rules</span>}
                  {event.verdicts.map((verdict) => (
                    <div key={verdict.rule_id} className="wrap">
                      <VerdictBadge verdict={verdict.verdict} /> {verdict.rule_name}{' '}
                      {verdict.run_id !== null && <Link to={`/runs/${verdict.run_id}`}>run</Link>}
                      {verdict.reason !== null && <span className="quiet">{verdict.reason}</span>}
                    </div>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <ListEnd
        list={list}
        empty={
          isNarrowed
            ? 'No events match these filters.'
            : 'No events yet. Create a source to receive them and a rule that says which job to run.'
        }
        more="Older events"
      />
    </section>
  );
}
