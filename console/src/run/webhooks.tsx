import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { Run } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { DeliveryEntry } from '../jobs/delivery-entry.tsx';
import { isOfJob } from '../jobs/why-not-again.ts';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';
import { useNames } from '../runs/use-names.ts';
import { isFinal } from './use-run.ts';

/** Who was told of the run, what was answered, and each try. */
export function Webhooks({ run }: { run: Run }) {
  const queries = useQueryClient();
  const key = ['deliveries', 'run', run.id];
  const list = useList(
    key,
    (cursor, signal) =>
      api().call(
        'listDeliveriesOfRun',
        { path: { run_id: run.id }, query: { limit: 50, ...cursorOf(cursor) } },
        { signal },
      ),
    { refetchInterval: 2_000 },
  );
  const { projects } = useNames();
  const isJobThere = projects.some(({ jobs }) => jobs.some(({ id }) => id === run.job_id));
  const job = useQuery({
    queryKey: ['job', run.job_id],
    queryFn: ({ signal }) =>
      api().call('getJob', { path: { project_id: run.project_id, job_id: run.job_id } }, { signal }),
    enabled: isJobThere && list.items.some(isOfJob),
  });
  return (
    <section aria-label="Webhooks">
      {list.items.map((delivery) => (
        <DeliveryEntry
          key={delivery.id}
          delivery={delivery}
          job={job.data}
          onSentAgain={() => queries.invalidateQueries({ queryKey: key })}
        />
      ))}
      <ListEnd
        list={list}
        empty={
          isFinal(run)
            ? 'No webhooks were sent for this run.'
            : 'No webhooks yet: they are sent when the run ends.'
        }
        more="Older deliveries"
      />
    </section>
  );
}
