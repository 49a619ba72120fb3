import { useQuery } from '@tanstack/react-query';
import { Fragment } from 'react';
import { Link } from 'react-router';
import { DctlError } from '../../../client/client.ts';
import type { Run } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Status } from '../parts/status.tsx';
import { useNames } from '../runs/use-names.ts';

const longest = 10;
/** Of the events that one run was gathered from. */
const shownEvents = 3;

interface Cause {
  run: Run;
  /** How the run after it came of it. */
  leads: string;
}

/** The events and runs that this one comes of, the first one first, and the runs that came of it. */
export function Chain({ run }: { run: Run }) {
  const { data: causes = [] } = useQuery({
    queryKey: ['run', run.id, 'causes'],
    queryFn: ({ signal }) => causesOf(run, signal),
    enabled: causeOf(run) !== null,
    staleTime: 60_000,
  });
  const first = causes[0]?.run ?? run;
  const isOfEvents = first.triggered_by === 'event' && first.after_run === null;
  const later = [
    ['retried by', run.retried_by],
    ['replaced by', run.replaced_by],
  ].filter((each): each is [string, string] => each[1] !== null);
  if (!isOfEvents && causes.length === 0 && later.length === 0 && run.scheduled_for === null) return null;
  return (
    <nav className="chain" aria-label="Cause chain">
      <ol>
        {isOfEvents && <Events runId={first.id} />}
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

function Events({ runId }: { runId: string }) {
  const { data } = useQuery({
    queryKey: ['run', runId, 'events'],
    queryFn: ({ signal }) =>
      api().call('listEventsOfRun', { path: { run_id: runId }, query: { limit: shownEvents } }, { signal }),
    staleTime: 60_000,
  });
  if (data === undefined || data.data.length === 0) return null;
  return (
    <li>
      {data.data.map((event, index) => (
        <Fragment key={event.id}>
          {index > 0 && ', '}
          <Link to={`/orchestration/events/${event.id}`}>
            {event.source_name}: {event.external_id ?? 'event'}
          </Link>
        </Fragment>
      ))}
      {data.next_cursor !== null && ' and more'} <span className="quiet">triggered</span>
    </li>
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
