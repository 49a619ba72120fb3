import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { Asked } from '../../../client/client.ts';
import { api } from '../api.ts';
import { TextField } from '../parts/text-field.tsx';
import { Problem } from '../parts/problem.tsx';
import { When } from '../parts/when.tsx';

/** What a rule would have made of the events that came. Nothing is recorded. */
export function RulePreview({ asked }: { asked: Omit<Asked<'previewEventRule'>['body'], 'days'> }) {
  const [days, setDays] = useState('7');
  const preview = useMutation({
    mutationFn: () => api().call('previewEventRule', { body: { ...asked, days: Number(days) } }),
  });
  const { data } = preview;
  return (
    <section className="card after-form">
      <h2>Preview</h2>
      <p className="hint">Evaluates the rule above on past events. No runs are created.</p>
      <div className="line">
        <TextField label="Days" type="number" min={1} max={30} value={days} onChange={setDays} />
        <button type="button" disabled={preview.isPending} onClick={() => preview.mutate()}>
          Preview
        </button>
      </div>
      {preview.isError && <Problem error={preview.error} />}
      <div role="status">
        {data !== undefined && (
          <p>
            {data.matched} of {data.is_cut && 'the newest '}
            {data.events} events match: {data.would_run} run{data.would_run === 1 ? '' : 's'}.
          </p>
        )}
      </div>
      {data !== undefined && data.runs.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Command</th>
              <th scope="col">Cause</th>
              <th scope="col">Events</th>
            </tr>
          </thead>
          <tbody>
            {data.runs.slice(0, 20).map((run) => (
              <tr key={`${run.at} ${run.event_ids[0]}`}>
                <td>
                  <When time={run.at} />
                </td>
                <td className="wrap">
                  {run.refused === null ? (
                    <code>{run.command}</code>
                  ) : (
                    <span className="field-problem">{run.refused}</span>
                  )}
                </td>
                <td className="wrap">{run.cause}</td>
                <td data-label="events:">{run.event_count}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
