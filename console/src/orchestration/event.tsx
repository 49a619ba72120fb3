import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import type { EventDetails } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { DeliveryEntry } from '../jobs/delivery-entry.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Ago } from '../parts/time.tsx';
import { When } from '../parts/when.tsx';
import { operationSigns, valueText } from './condition-text.ts';
import { VerdictBadge } from './verdict-badge.tsx';

/** From an event over what each rule made of it to the run and whom that was told. */
export function EventPage() {
  const { eventId = '' } = useParams();
  const { data, error, refetch } = useQuery({
    queryKey: ['event', eventId],
    queryFn: ({ signal }) => api().call('getEvent', { path: { id: eventId } }, { signal }),
    refetchInterval: 3_000,
  });
  if (error !== null) return <Problem error={error} again={() => void refetch()} />;
  if (data === undefined) return <p className="quiet">Loading…</p>;
  return (
    <>
      <PageHead title={data.external_id ?? data.id} trail={[['/orchestration', 'Events']]} />
      <ol className="event-chain">
        <li className="card">
          <div className="card-head">
            <h2>{data.source_name}</h2>
            <span className="quiet">
              received <Ago time={data.received_at} />
            </span>
          </div>
          <pre className="text" role="region" tabIndex={0} aria-label="Event data">
            {JSON.stringify(data.data, null, 2)}
          </pre>
          {data.note !== null && <p>{data.note}</p>}
        </li>
        {data.verdicts.map((verdict) => (
          <Verdict key={verdict.rule_id} of={verdict} eventId={data.id} />
        ))}
      </ol>
    </>
  );
}

function Verdict({ of, eventId }: { of: EventDetails['verdicts'][number]; eventId: string }) {
  const queries = useQueryClient();
  return (
    <li className="card">
      <div className="card-head">
        <h2>
          <Link to={`/orchestration/rules/${of.rule_id}`}>{of.rule_name}</Link>
        </h2>
        <VerdictBadge verdict={of.verdict} />
      </div>
      {of.conditions.length > 0 && (
        <ul className="plain">
          {of.conditions.map((condition) => (
            <li key={JSON.stringify(condition)} className="wrap">
              <span className={condition.holds ? 'good' : 'field-problem'}>
                {condition.holds ? '✓' : '✕'}
              </span>{' '}
              <code>
                {condition.variable_name} {operationSigns[condition.operation]} {valueText(condition.value)}
              </code>{' '}
              <span className="quiet">
                {'actual' in condition ? `actual: ${valueText(condition.actual)}` : 'not present'}
              </span>
            </li>
          ))}
        </ul>
      )}
      {of.reason !== null && <p>{of.reason}</p>}
      {of.gathering !== null && (
        <p className="quiet">
          Gathered from <When time={of.gathering.opened_at} />
          {of.gathering.closed_at === null ? (
            <>
              {' '}
              until <When time={of.gathering.closes_at} /> at the latest
            </>
          ) : (
            <>
              {' '}
              to <When time={of.gathering.closed_at} />
            </>
          )}
          .
        </p>
      )}
      {of.run !== null && (
        <div className="chain-run">
          <h3>
            <Status status={of.run.status} /> <Link to={`/runs/${of.run.id}`}>{of.run.name}</Link>
          </h3>
          {of.run.cause !== null && <p className="wrap">{of.run.cause}</p>}
          {of.run.error_message !== null && <p className="field-problem wrap">{of.run.error_message}</p>}
          {of.run.retried_by !== null && (
            <p>
              Retried by <Link to={`/runs/${of.run.retried_by}`}>this run</Link>.
            </p>
          )}
          {of.run.deliveries.map((delivery) => (
            <DeliveryEntry
              key={delivery.id}
              delivery={delivery}
              onSentAgain={() => queries.invalidateQueries({ queryKey: ['event', eventId] })}
            />
          ))}
        </div>
      )}
    </li>
  );
}
