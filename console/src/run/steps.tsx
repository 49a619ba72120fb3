import { Link } from 'react-router';
import type { Run, RunStep } from '../../../client/operations.ts';
import { Duration } from '../parts/time.tsx';
import type { NodeLook } from './node-status.ts';
import { signOf } from './node-status.ts';

const looks: Record<RunStep['status'], NodeLook> = {
  queued: 'waiting',
  running: 'busy',
  success: 'good',
  failed: 'bad',
  error: 'bad',
  skipped: 'skipped',
};

/** The commands of a run that has several. */
export function Steps({ run }: { run: Run }) {
  if (run.steps.length < 2) return null;
  return (
    <section aria-label="Steps">
      <h2>Steps</h2>
      <ol className="steps">
        {run.steps.map((step) => (
          <li key={step.number}>
            <span className={`status look-${looks[step.status]}`}>
              <span aria-hidden="true">{signOf[looks[step.status]]}</span> {step.status}
            </span>
            <Link to={{ pathname: `/runs/${run.id}`, search: `?step=${step.number}` }}>
              <code className="wrap">{step.command}</code>
            </Link>
            <span className="quiet">
              {step.start_time !== null && <Duration seconds={secondsOf(step)} since={step.start_time} />}
            </span>
            {step.error_message !== null && <p className="look-bad wrap">{step.error_message}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function secondsOf({ start_time: start, end_time: end }: RunStep): number | null {
  return start === null || end === null ? null : (Date.parse(end) - Date.parse(start)) / 1_000;
}
