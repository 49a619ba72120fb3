import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { api } from '../api.ts';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Ago, Duration } from '../parts/time.tsx';

const statuses = ['queued', 'running', 'success', 'partial', 'failed', 'error'] as const;

/** All runs, newest first, as they are now. What is looked for stands in the address. */
export function Runs() {
  const [asked, setAsked] = useSearchParams();
  const status = asked.get('status') ?? undefined;
  const runs = useInfiniteQuery({
    queryKey: ['runs', status],
    queryFn: ({ pageParam, signal }) =>
      api().call(
        'listRuns',
        {
          query: {
            ...(status === undefined ? {} : { status }),
            ...(pageParam === undefined ? {} : { cursor: pageParam }),
          },
        },
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor: next }) => next ?? undefined,
    refetchInterval: 2_000,
  });
  const rows = runs.data?.pages.flatMap(({ data }) => data) ?? [];
  return (
    <>
      <title>Runs · dctl</title>
      <h1>Runs</h1>
      <div className="filters">
        <label>
          Status{' '}
          <select
            value={status ?? ''}
            onChange={({ target }) => setAsked(target.value === '' ? {} : { status: target.value })}
          >
            <option value="">any</option>
            {statuses.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      </div>
      {runs.isError && <Problem error={runs.error} again={() => void runs.refetch()} />}
      {runs.isSuccess && rows.length === 0 && <p>There are no runs yet.</p>}
      {rows.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Status</th>
              <th scope="col">Run</th>
              <th scope="col">Why</th>
              <th scope="col">Began</th>
              <th scope="col">Took</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((run) => (
              <tr key={run.id}>
                <td>
                  <Status status={run.status} reason={run.status_reason} />
                </td>
                <td>
                  <Link to={`/runs/${run.id}`}>{run.name}</Link>
                  <code className="command">{run.command_override ?? run.command}</code>
                </td>
                <td>{run.cause ?? run.triggered_by}</td>
                <td>
                  <Ago time={run.created_at} />
                </td>
                <td>
                  <Duration seconds={run.duration_seconds} since={run.start_time} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {runs.hasNextPage && (
        <button type="button" onClick={() => void runs.fetchNextPage()}>
          Older runs
        </button>
      )}
    </>
  );
}
