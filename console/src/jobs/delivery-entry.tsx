import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Answer } from '../../../client/client.ts';
import type { Job } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Action } from '../parts/action.tsx';
import { Ago } from '../parts/time.tsx';
import { useSession } from '../session.tsx';
import { whyNotAgain } from './why-not-again.ts';

type Delivery = Answer<'listDeliveries'>['data'][number];

const looks: Record<Delivery['state'], string> = {
  held: 'busy',
  pending: 'busy',
  sending: 'busy',
  delivered: 'good',
  failed: 'bad',
  blocked: 'bad',
  unknown: 'warn',
};

const kinds: Record<string, string> = {
  run_event: 'event',
  sent_again: 'sent again',
  test: 'test',
};

/** A webhook in one line, and all of it once it is opened. */
export function DeliveryEntry({
  delivery,
  job,
  onSentAgain,
}: {
  delivery: Delivery;
  /** Whose webhook it is, where that is known. */
  job?: Job | undefined;
  onSentAgain: () => Promise<unknown>;
}) {
  const { may } = useSession();
  const [isOpen, setOpen] = useState(false);
  const last = delivery.tries.at(-1);
  const whyNot = whyNotAgain(delivery, job);
  const isUnderWay = looks[delivery.state] === 'busy';
  return (
    <details className="delivery" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <span className={`badge ${looks[delivery.state]}`}>{delivery.state}</span>
        <code>{delivery.event}</code>
        {kinds[delivery.kind] !== undefined && <span className="badge">{kinds[delivery.kind]}</span>}
        <span className="quiet">
          {last?.status_code ?? (last === undefined ? '' : 'no response')}
          {last?.duration_ms != null && ` in ${last.duration_ms} ms`}
          {delivery.tries.length > 1 && `, ${delivery.tries.length} attempts`}
        </span>
        <span className="quiet push">
          <Ago time={delivery.created_at} />
        </span>
      </summary>
      <div className="inside">
        <div className="wrap">
          To <code>{delivery.url}</code>
          {delivery.run_id !== null && (
            <>
              {' '}
              for <Link to={`/runs/${delivery.run_id}`}>this run</Link>
            </>
          )}
          {delivery.requested_by !== null && <>, triggered by {delivery.requested_by}</>}
        </div>
        {isOpen && <Request id={delivery.id} />}
        {delivery.tries.length === 0 && <p className="quiet">Not sent yet.</p>}
        {delivery.tries.map((each) => (
          <Try key={each.number} of={each} />
        ))}
        {may('operator') && delivery.run_id !== null && !isUnderWay && (
          <div className="actions">
            {whyNot === undefined ? (
              <Action
                name="Send again"
                about={delivery.event}
                run={async () => {
                  await api().call('sendDeliveryAgain', { path: { delivery_id: delivery.id } });
                  await onSentAgain();
                }}
              />
            ) : (
              <span className="hint">{whyNot}</span>
            )}
          </div>
        )}
      </div>
    </details>
  );
}

/** What is sent, as it is read. */
function Request({ id }: { id: string }) {
  const { data } = useQuery({
    queryKey: ['delivery', id],
    queryFn: ({ signal }) => api().call('getDelivery', { path: { delivery_id: id } }, { signal }),
    staleTime: Infinity,
  });
  if (data === undefined) return null;
  return (
    <div className="try">
      <h3>Request</h3>
      <pre className="text" role="region" tabIndex={0} aria-label="Request body">
        {indented(data.body)}
      </pre>
    </div>
  );
}

function indented(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function Try({ of }: { of: Delivery['tries'][number] }) {
  return (
    <div className="try">
      <h3>
        Attempt {of.number}: {of.status_code ?? of.result?.replaceAll('_', ' ') ?? 'sending'}
        {of.duration_ms !== null && ` in ${of.duration_ms} ms`}
      </h3>
      {of.explanation !== null && <p className="hint">{of.explanation}</p>}
      {of.answer !== null && of.answer !== '' && (
        <pre className="text" role="region" tabIndex={0} aria-label={`Response to attempt ${of.number}`}>
          {of.answer}
        </pre>
      )}
    </div>
  );
}
