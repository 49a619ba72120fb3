import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import type { Job, JobTrends } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Problem } from '../parts/problem.tsx';
import { durationText } from '../parts/time.tsx';
import { fewestRuns } from '../runs/usual.ts';

/** How a job has done lately, as figures, as bars, and what took its time. */
export function Trends({ job }: { job: Job }) {
  const trends = useQuery({
    queryKey: ['trends', job.id],
    queryFn: ({ signal }) =>
      api().call(
        'getJobTrends',
        { path: { project_id: job.project_id, job_id: job.id }, query: { runs: 50 } },
        { signal },
      ),
    refetchInterval: 10_000,
  });
  if (trends.isError) return <Problem error={trends.error} again={() => void trends.refetch()} />;
  if (trends.data === undefined || trends.data.runs.length === 0) return null;
  const { runs, counts, success_rate: rate } = trends.data;
  const usual = counts.success < fewestRuns ? null : trends.data.usual_duration_seconds;
  return (
    <section className="card">
      <h2>
        Trends: last {runs.length} run{runs.length > 1 && 's'}
      </h2>
      <dl className="figures">
        <div>
          <dt>Success rate</dt>
          <dd>{rate === null ? '–' : `${Math.round(rate * 100)} %`}</dd>
        </div>
        <div>
          <dt>Usual duration</dt>
          <dd>{usual === null ? '–' : durationText(usual)}</dd>
        </div>
        {(['success', 'partial', 'failed', 'error'] as const)
          .filter((status) => counts[status] > 0)
          .map((status) => (
            <div key={status}>
              <dt>{status}</dt>
              <dd className={`status-${status}`}>{counts[status]}</dd>
            </div>
          ))}
      </dl>
      <Bars runs={runs.toReversed()} usual={usual} />
      <SlowestNodes nodes={trends.data.slowest_nodes} />
    </section>
  );
}

const width = 1_000;
const height = 140;

/** A bar a run, the newest to the right, as high as it took long; the line is what it usually takes. */
function Bars({ runs, usual }: { runs: JobTrends['runs']; usual: number | null }) {
  const longest = Math.max(usual ?? 0, ...runs.map(({ duration_seconds: seconds }) => seconds ?? 0), 0.1);
  const room = Math.min(width / runs.length, 48);
  const heightOf = (seconds: number) => (seconds / longest) * (height - 12);
  return (
    <figure className="bars">
      <svg
        className="trend"
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="group"
        aria-label="Duration of each run"
      >
        {runs.map((run, place) => {
          const bar = Math.max(3, heightOf(run.duration_seconds ?? 0));
          const said = `${run.status}, ${run.duration_seconds === null ? 'not started' : durationText(run.duration_seconds)}`;
          return (
            <Link key={run.id} to={`/runs/${run.id}`} aria-label={said} className={`status-${run.status}`}>
              <title>{`${said}, ${new Date(run.created_at).toLocaleString()}`}</title>
              <rect
                x={width - (runs.length - place) * room + room * 0.12}
                y={height - bar}
                width={room * 0.76}
                height={bar}
                rx={2}
              />
            </Link>
          );
        })}
        {usual !== null && (
          <line
            className="usual"
            x1={0}
            x2={width}
            y1={height - heightOf(usual)}
            y2={height - heightOf(usual)}
            vectorEffect="non-scaling-stroke"
          />
        )}
      </svg>
      <figcaption className="hint">
        Duration of each run, newest on the right; the longest took {durationText(longest)}.
        {usual !== null && ' The dashed line is the usual duration.'}
      </figcaption>
    </figure>
  );
}

function SlowestNodes({ nodes }: { nodes: JobTrends['slowest_nodes'] }) {
  const [first] = nodes;
  if (first === undefined) return null;
  const longest = Math.max(...nodes.map(({ usual_seconds: seconds }) => seconds), 0.001);
  return (
    <>
      <h2>Slowest nodes</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col" className="number">
              Usual
            </th>
            <th scope="col" className="number">
              Longest
            </th>
          </tr>
        </thead>
        <tbody>
          {nodes.slice(0, 8).map((node) => (
            <tr key={node.unique_id}>
              <td className="wrap">
                <code>{node.unique_id}</code>
                <svg className="share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                  <rect className="track" width={100} height={6} rx={1} />
                  <rect className="part" width={(node.usual_seconds / longest) * 100} height={6} rx={1} />
                </svg>
              </td>
              <td className="number nowrap" data-label="usual">
                {durationText(node.usual_seconds)}
              </td>
              <td className="number nowrap" data-label="longest">
                {durationText(node.longest_seconds)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
