import { Link } from 'react-router';
import { api } from '../api.ts';
import { cursorOf, ListEnd, useList } from '../parts/list.tsx';
import { Status } from '../parts/status.tsx';
import { Ago, Duration } from '../parts/time.tsx';
import { useJob } from '../pages/job.tsx';
import { ScheduleText } from './schedule-text.tsx';
import { triggerWords } from '../runs/why.tsx';
import { Trends } from './trends.tsx';

/** How a job has been doing, and its runs. */
export function JobOverview() {
  const { job } = useJob();
  const runs = useList(
    ['runs', 'of', job.id],
    (cursor, signal) =>
      api().call('listRuns', { query: { job_id: job.id, limit: 20, ...cursorOf(cursor) } }, { signal }),
    { refetchInterval: 3_000 },
  );
  return (
    <>
      <section className="card">
        <div className="card-head">
          <h2>{job.commands.length > 1 ? 'Commands' : 'Command'}</h2>
          <div>
            <ScheduleText job={job} />
          </div>
        </div>
        {job.description !== '' && <p className="wrap">{job.description}</p>}
        <pre className="text">{job.commands.join('\n')}</pre>
      </section>
      <Trends job={job} />
      <section className="card">
        <h2>Runs</h2>
        {runs.items.length > 0 && (
          <table>
            <thead>
              <tr>
                <th scope="col">Status</th>
                <th scope="col">Run</th>
                <th scope="col">Cause</th>
                <th scope="col">Created</th>
                <th scope="col">Duration</th>
              </tr>
            </thead>
            <tbody>
              {runs.items.map((run) => (
                <tr key={run.id}>
                  <td>
                    <Status status={run.status} reason={run.status_reason} />
                  </td>
                  <td className="wrap">
                    <Link to={`/runs/${run.id}`}>{run.name}</Link>
                    {run.command_override !== null && <code className="command">{run.command_override}</code>}
                  </td>
                  <td className="wrap">{run.cause ?? triggerWords[run.triggered_by]}</td>
                  <td className="nowrap">
                    <Ago time={run.created_at} />
                  </td>
                  <td className="nowrap">
                    <Duration seconds={run.duration_seconds} since={run.start_time} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <ListEnd
          list={runs}
          empty="No runs yet. Choose “Run now” above, trigger the job over the API, or give it a schedule."
          more="Older runs"
        />
      </section>
    </>
  );
}
