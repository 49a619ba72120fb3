import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import type { Run } from '../../../client/operations.ts';
import { DctlError } from '../../../client/client.ts';
import { api } from '../api.ts';
import { Status } from '../parts/status.tsx';
import { useNames } from '../runs/use-names.ts';

const longest = 10;

interface Cause {
  run: Run;
  /** How the run after it came of it. */
  leads: string;
}

/** The runs that this one comes of, the first one first, and those that came of it. */
export function Chain({ run }: { run: Run }) {
  const { data: causes = [] } = useQuery({
    queryKey: ['run', run.id, 'causes'],
    queryFn: ({ signal }) => causesOf(run, signal),
    enabled: causeOf(run) !== null,
    staleTime: 60_000,
  });
  const later = [
    ['retried by', run.retried_by],
    ['replaced by', run.replaced_by],
  ].filter((each): each is [string, string] => each[1] !== null);
  if (causes.length === 0 && later.length === 0 && run.scheduled_for === null) return null;
  return (
    <nav className="chain" aria-label="Cause chain">
      <ol>
        {run.scheduled_for !== null && <li>scheduled for {new Date(run.scheduled_for).toLocaleString()}</li>}
        {causes.map(({ run: cause, leads }) => (
          <li key={cause.id}>
            <RunLink run={cause} /> <span className="quiet">{leads}</span>
          </li>
        ))}
        <li aria-current="page">this run</li>
        {later.map(([word, id]) => (
          <li key={word}>
            <span className="quiet">{word}</span> <LaterRun id={id} />
          </li>
        ))}
      </ol>
    </nav>
  );
}

function LaterRun({ id }: { id: string }) {
  const { data } = useQuery({
    queryKey: ['run', id, 'named'],
    queryFn: ({ signal }) => api().call('getRun', { path: { run_id: id } }, { signal }),
  });
  return data === undefined ? <Link to={`/runs/${id}`}>another run</Link> : <RunLink run={data} />;
}

function RunLink({ run }: { run: Run }) {
  const names = useNames();
  return (
    <>
      <Link to={`/runs/${run.id}`} title={run.name}>
        {names.jobName(run)}
      </Link>{' '}
      <Status status={run.status} reason={run.status_reason} />
    </>
  );
}

const causeOf = (run: Run) => run.retry_of ?? run.after_run;

async function causesOf(run: Run, signal: AbortSignal): Promise<Cause[]> {
  const causes: Cause[] = [];
  for (let last = run; causes.length < longest;) {
    const id = causeOf(last);
    if (id === null) return causes;
    const leads = last.retry_of === null ? 'triggered' : 'was retried by';
    try {
      last = await api().call('getRun', { path: { run_id: id } }, { signal });
    } catch (error) {
      if (error instanceof DctlError && error.status === 404) return causes;
      throw error;
    }
    causes.unshift({ run: last, leads });
  }
  return causes;
}
