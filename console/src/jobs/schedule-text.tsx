import type { Job } from '../../../client/operations.ts';
import { When } from '../parts/when.tsx';

/** When a job runs by itself, in a line or two. */
export function ScheduleText({ job: { schedule, run_after: after } }: { job: Job }) {
  if (schedule === null && after.length === 0) return <span className="quiet">no schedule</span>;
  return (
    <>
      {schedule !== null && (
        <>
          <code>{schedule.cron}</code> <span className="quiet">{schedule.timezone}</span>
          <br />
          <span className="quiet">
            next: <When time={schedule.next_run_at} />
          </span>
          {schedule.problem !== null && <p className="field-problem">{schedule.problem}</p>}
        </>
      )}
      {after.length > 0 && (
        <div className="quiet">
          after {after.length} other job{after.length > 1 && 's'}
        </div>
      )}
    </>
  );
}
