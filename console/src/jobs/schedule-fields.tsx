import { useQuery } from '@tanstack/react-query';
import type { Job } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Choice, Field } from '../parts/field.tsx';
import { TextField } from '../parts/text-field.tsx';
import { useRested } from '../parts/rested.ts';
import { timeIn } from '../parts/when.tsx';

type Schedule = NonNullable<Job['schedule']>;

const common = [
  ['0 * * * *', 'hourly'],
  ['0 6 * * *', 'daily at 6:00'],
  ['0 6 * * 1-5', 'weekdays at 6:00'],
  ['0 6 * * 1', 'Mondays at 6:00'],
] as const;

const zones = Intl.supportedValuesOf('timeZone');

export function ScheduleFields({
  schedule,
  error,
  onChange,
}: {
  schedule: Schedule | null;
  error: unknown;
  onChange: (schedule: Schedule | null) => void;
}) {
  const { verdict, zone, isOfNow } = useNextTimes(schedule?.cron ?? '', schedule?.timezone ?? '');
  // What is wrong with it as it stands is said at its field, in place of what was said when it was sent.
  const known = (field: 'cron' | 'timezone') => {
    if (!isOfNow || verdict === undefined) return undefined;
    return verdict.accepted
      ? []
      : verdict.problems.filter((each) => each.field === field).map(({ detail }) => detail);
  };
  const set = (change: Partial<Schedule>) => schedule !== null && onChange({ ...schedule, ...change });
  return (
    <>
      <Choice
        label="Run on a schedule"
        checked={schedule !== null}
        onChange={(checked) => onChange(checked ? newSchedule() : null)}
      />
      {schedule !== null && (
        <div className="fields inner">
          <TextField
            label="Cron expression"
            hint={
              <>
                minute hour day month weekday. Examples:{' '}
                {common.map(([cron, said], place) => (
                  <span key={cron}>
                    {place > 0 && ', '}
                    <button type="button" className="link" onClick={() => set({ cron })}>
                      {said}
                    </button>
                  </span>
                ))}
              </>
            }
            pointer="/schedule/cron"
            error={error}
            known={known('cron')}
            className="mono"
            required
            value={schedule.cron}
            spellCheck={false}
            onChange={(cron) => set({ cron })}
          />
          <Field label="Time zone" pointer="/schedule/timezone" error={error} known={known('timezone')}>
            {(control) => (
              <>
                <input
                  {...control}
                  list="time-zones"
                  required
                  value={schedule.timezone}
                  onChange={({ target }) => set({ timezone: target.value })}
                />
                <datalist id="time-zones">
                  {zones.map((each) => (
                    <option key={each} value={each} />
                  ))}
                </datalist>
              </>
            )}
          </Field>
          <Field label="Missed runs" pointer="/schedule/missed" error={error}>
            {(control) => (
              <select
                {...control}
                value={schedule.missed}
                onChange={({ target }) => set({ missed: target.value as Schedule['missed'] })}
              >
                <option value="run_once">Catch up: run once</option>
                <option value="skip">Skip</option>
              </select>
            )}
          </Field>
          <NextTimes times={verdict?.accepted === true ? verdict.next_times : []} zone={zone} />
        </div>
      )}
    </>
  );
}

/** What the server says of a schedule, for `zone`, and whether that is the one that stands there now. */
function useNextTimes(cron: string, timezone: string) {
  const asked = `${cron}\n${timezone}`;
  const rested = useRested(asked);
  const [restedCron = '', zone = ''] = rested.split('\n');
  const { data: verdict } = useQuery({
    queryKey: ['next times', restedCron, zone],
    queryFn: ({ signal }) =>
      api().call('checkSchedule', { body: { cron: restedCron, timezone: zone } }, { signal }),
    enabled: restedCron.trim() !== '',
    staleTime: 30_000,
  });
  return { verdict, zone, isOfNow: rested === asked };
}

/** When a schedule would come, as the server says. */
function NextTimes({ times, zone }: { times: string[]; zone: string }) {
  return (
    <div className="field" role="status">
      <strong>Next runs</strong>
      {times.length === 0 ? (
        <span className="quiet">–</span>
      ) : (
        <ul className="next-times">
          {times.map((time) => (
            <li key={time}>
              <time dateTime={time}>{timeIn(time, zone)}</time>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Every day at six by the clock of whoever asks for it. */
function newSchedule(): Schedule {
  return {
    cron: '0 6 * * *',
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    missed: 'run_once',
    next_run_at: '',
    problem: null,
  };
}
