import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import type { Hook } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { HookDeliveries } from './hook-deliveries.tsx';
import { HookForm } from './hook-form.tsx';

/** A hook that is there, or one that is being made. */
export function HookPage() {
  const { hookId = '' } = useParams();
  const isNew = hookId === 'new';
  const stored = useQuery({
    queryKey: ['hook', hookId],
    queryFn: ({ signal }) => api().call('getHook', { path: { hook_id: hookId } }, { signal }),
    enabled: !isNew,
  });
  if (stored.isError) return <Problem error={stored.error} again={() => void stored.refetch()} />;
  const hook = isNew ? newHook : stored.data;
  if (hook === undefined) return <p className="quiet">Loading…</p>;
  return (
    <>
      <PageHead
        title={isNew ? 'New hook' : hook.description || hook.url}
        trail={[['/orchestration/hooks', 'Hooks']]}
      />
      <HookForm key={hookId} hook={hook} isNew={isNew} />
      {!isNew && <HookDeliveries hook={hook} />}
    </>
  );
}

const newHook: Hook = {
  id: '',
  description: '',
  is_active: true,
  method: 'POST',
  url: '',
  header: {},
  body: null as unknown as Hook['body'],
  auth: null,
  rules: [],
  jobs: [],
  created_at: '',
  updated_at: '',
};
