import { Link } from 'react-router';
import type { Run } from '../../../client/operations.ts';
import { Ago, durationText } from '../parts/time.tsx';

/** A job's newest runs at a glance, the newest to the right. */
export function RunDots({ runs }: { runs: Run[] }) {
  const [newest] = runs;
  if (newest === undefined) return <span className="quiet">no recent runs</span>;
  return (
    <span className="run-dots">
      <span className="dots">
        {runs
          .slice(0, 10)
          .toReversed()
          .map((run) => (
            <Link
              key={run.id}
              to={`/runs/${run.id}`}
              className={`dot status-${run.status}`}
              aria-label={`${run.name}: ${run.status}`}
              title={`${run.status}${run.duration_seconds === null ? '' : `, ${durationText(run.duration_seconds)}`}`}
            />
          ))}
      </span>
      <span className="quiet nowrap">
        <Ago time={newest.created_at} />
      </span>
    </span>
  );
}
