import type { Run } from '../../../client/operations.ts';
import { Duration, durationText } from '../parts/time.tsx';

/** How long the run took or has taken by now, against what is usual for its job. */
export function Took({ run, usual }: { run: Run; usual: number | undefined }) {
  const seconds = run.duration_seconds;
  const isSlow = usual !== undefined && seconds !== null && seconds > 5 && seconds > 1.5 * usual;
  return (
    <>
      <span className={isSlow ? 'slow' : undefined}>
        <Duration seconds={seconds} since={run.start_time} />
      </span>{' '}
      {usual !== undefined && (
        <span className="second">
          {isSlow ? `${(seconds / usual).toFixed(1)}× the usual ` : 'usually '}
          {durationText(usual)}
        </span>
      )}
    </>
  );
}
