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
            className="mono"
            required
            value={schedule.cron}
            spellCheck={false}
            onChange={(cron) => set({ cron })}
          />
          <Field label="Time zone" pointer="/schedule/timezone" error={error}>
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
                  {zones.map((zone) => (
                    <option key={zone} value={zone} />
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
          <NextTimes cron={schedule.cron} timezone={schedule.timezone} />
        </div>
      )}
    </>
  );
}

/** When a schedule would come, as the server says. */
function NextTimes({ cron, timezone }: { cron: string; timezone: string }) {
  const asked = useRested(`${cron}\n${timezone}`);
  const [restedCron = '', restedZone = ''] = asked.split('\n');
  const next = useQuery({
    queryKey: ['next times', restedCron, restedZone],
    queryFn: ({ signal }) =>
      api().call('checkSchedule', { body: { cron: restedCron, timezone: restedZone } }, { signal }),
    enabled: restedCron.trim() !== '',
    staleTime: 30_000,
  });
  return (
    <div className="field" role="status">
      <strong>Next runs</strong>
      {next.data?.accepted === false &&
        next.data.problems.map(({ field, detail }) => (
          <p key={field} className="field-problem">
            {detail}
          </p>
        ))}
      {next.data?.accepted === true && (
        <ul className="next-times">
          {next.data.next_times.map((time) => (
            <li key={time}>
              <time dateTime={time}>{timeIn(time, restedZone)}</time>
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
