import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import type { Run } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Problem } from '../parts/problem.tsx';
import { useSession } from '../session.tsx';
import { isFinal } from './use-run.ts';

/** Cancel, run again, retry: as far as the run's state and the user's role allow it. */
export function RunActions({ run }: { run: Run }) {
  const { may } = useSession();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const path = { run_id: run.id };
  const refresh = () => queries.invalidateQueries({ queryKey: ['run', run.id] });
  const goTo = async ({ job_run_id: id }: { job_run_id: string }) => {
    void refresh();
    await navigate(`/runs/${id}`);
  };
  const cancel = useMutation({
    mutationFn: () => api().call('cancelRun', { path }),
    onSettled: refresh,
  });
  const again = useMutation({
    mutationFn: () =>
      api().call('triggerRun', {
        path: { project_id: run.project_id, job_id: run.job_id },
        body: {
          cause: `rerun: ${run.cause ?? run.name}`.slice(0, 1_000),
          ...(run.command_override === null ? {} : { command_override: run.command_override }),
          ...(run.metadata === null ? {} : { metadata: run.metadata }),
        },
      }),
    onSuccess: goTo,
  });
  const retry = useMutation({
    mutationFn: () => api().call('retryRun', { path, body: {} }),
    onSuccess: goTo,
  });
  if (!may('operator')) return null;

  const hasEnded = isFinal(run);
  const isStopping = run.cancel_requested_at !== null;
  const refused = [cancel, again, retry].find(({ isError }) => isError);
  return (
    <>
      {!hasEnded && (
        <button
          type="button"
          className="danger"
          disabled={isStopping || cancel.isPending}
          onClick={() => cancel.mutate()}
        >
          {isStopping ? 'Cancelling…' : 'Cancel'}
        </button>
      )}
      {hasEnded && run.status !== 'success' && (
        <button
          type="button"
          // Whoever cancelled it did not want it to go on.
          className={run.status_reason === 'cancelled' ? undefined : 'primary'}
          disabled={retry.isPending}
          title="Runs the nodes that failed, were skipped or did not start"
          onClick={() => retry.mutate()}
        >
          Retry from failure
        </button>
      )}
      {hasEnded && (
        <button type="button" disabled={again.isPending} onClick={() => again.mutate()}>
          Run again
        </button>
      )}
      {refused !== undefined && <Problem error={refused.error} />}
    </>
  );
}
