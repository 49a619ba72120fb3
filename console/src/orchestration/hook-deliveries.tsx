import { useQueryClient } from '@tanstack/react-query';
import type { Hook } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { DeliveryEntry } from '../jobs/delivery-entry.tsx';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';

/** What a hook sent, and what became of each try. */
export function HookDeliveries({ hook }: { hook: Hook }) {
  const queries = useQueryClient();
  const queryKey = ['deliveries of hook', hook.id];
  const list = useList(
    queryKey,
    (cursor, signal) =>
      api().call(
        'listDeliveriesOfHook',
        { path: { hook_id: hook.id }, query: { limit: 20, ...cursorOf(cursor) } },
        { signal },
      ),
    { refetchInterval: 3_000 },
  );
  return (
    <section className="card">
      <h2>Deliveries</h2>
      {list.items.map((delivery) => (
        <DeliveryEntry
          key={delivery.id}
          delivery={delivery}
          onSentAgain={() => queries.invalidateQueries({ queryKey })}
        />
      ))}
      <ListEnd list={list} empty="No deliveries yet." more="Older deliveries" />
    </section>
  );
}
