import { useQueryClient } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import type { Answer } from '../../../client/client.ts';
import type { Job } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { DeliveryEntry } from './delivery-entry.tsx';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';

type State = Answer<'listDeliveries'>['data'][number]['state'];

const states: State[] = ['pending', 'held', 'sending', 'delivered', 'failed', 'blocked', 'unknown'];

/** Every webhook of a job, with what was sent and what was answered. */
export function JobDeliveries({ job }: { job: Job }) {
  const queries = useQueryClient();
  const [asked, setAsked] = useSearchParams();
  const state = states.find((each) => each === asked.get('state'));
  const list = useList(
    ['deliveries', job.id, state],
    (cursor, signal) =>
      api().call(
        'listDeliveries',
        {
          path: { project_id: job.project_id, job_id: job.id },
          query: { limit: 20, ...(state === undefined ? {} : { state }), ...cursorOf(cursor) },
        },
        { signal },
      ),
    { refetchInterval: 2_000 },
  );
  return (
    <section className="card">
      <div className="card-head">
        <h2>Deliveries</h2>
        <label className="choice">
          State{' '}
          <select
            value={state ?? ''}
            onChange={({ target }) =>
              setAsked(target.value === '' ? {} : { state: target.value }, { replace: true })
            }
          >
            <option value="">all</option>
            {states.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      </div>
      {list.items.map((delivery) => (
        <DeliveryEntry
          key={delivery.id}
          delivery={delivery}
          job={job}
          onSentAgain={() => queries.invalidateQueries({ queryKey: ['deliveries', job.id] })}
        />
      ))}
      <ListEnd
        list={list}
        empty={
          state !== undefined
            ? `No ${state} deliveries.`
            : job.webhook_url === null
              ? 'No deliveries yet. Set a URL above.'
              : 'No deliveries yet. Send a test, or run the job.'
        }
        more="Older deliveries"
      />
    </section>
  );
}
