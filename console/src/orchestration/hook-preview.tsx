import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Asked } from '../../../client/client.ts';
import { api } from '../api.ts';
import { Field } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { operationSigns, valueText } from './condition-text.ts';

/** What a hook would send at the end of a run that was. Nothing is sent. `hook`: as it stands in its form; null: as it is stored. */
export function HookPreview({ hook, hookId }: { hook: Asked<'createHook'>['body'] | null; hookId: string }) {
  const runs = useQuery({
    queryKey: ['runs', 'ended lately'],
    queryFn: ({ signal }) =>
      api().call('listRuns', { query: { limit: 20, status: 'success,partial,failed,error' } }, { signal }),
  });
  const [chosen, setChosen] = useState('');
  const runId = chosen === '' ? (runs.data?.data[0]?.id ?? '') : chosen;
  const preview = useMutation({
    mutationFn: () =>
      hook === null
        ? api().call('previewHook', { path: { hook_id: hookId }, body: { run_id: runId } })
        : api().call('previewNewHook', { body: { hook, run_id: runId } }),
  });
  const { data } = preview;
  return (
    <section className="card after-form">
      <h2>Preview</h2>
      <p className="hint">Renders the request above for a past run. Nothing is sent.</p>
      {runs.data?.data.length === 0 ? (
        <p className="quiet">No run has ended yet: run a job first.</p>
      ) : (
        <div className="line">
          <Field label="Run">
            {(control) => (
              <select {...control} value={runId} onChange={({ target }) => setChosen(target.value)}>
                {runs.data?.data.map(({ id, name, status }) => (
                  <option key={id} value={id}>
                    {name} ({status})
                  </option>
                ))}
              </select>
            )}
          </Field>
          <button type="button" disabled={runId === '' || preview.isPending} onClick={() => preview.mutate()}>
            Preview
          </button>
        </div>
      )}
      {preview.isError && <Problem error={preview.error} />}
      <div role="status">
        {data !== undefined && (
          <p>{data.would_send ? 'Would be sent.' : `Would not be sent. ${data.why_not ?? ''}`}</p>
        )}
      </div>
      {data !== undefined && (
        <>
          <ul className="plain">
            {data.rules.map((rule) => (
              <li key={JSON.stringify(rule)}>
                <span className={rule.holds ? 'good' : 'field-problem'}>{rule.holds ? '✓' : '✕'}</span>{' '}
                <code>
                  {rule.variable_name} {operationSigns[rule.operation]} {valueText(rule.value)}
                </code>{' '}
                <span className="quiet">
                  {'actual' in rule ? `actual: ${valueText(rule.actual)}` : 'not present'}
                </span>
              </li>
            ))}
          </ul>
          {data.problems.map(({ pointer, detail }) => (
            <p key={pointer + detail} className="field-problem">
              <code>{pointer}</code> {detail}
            </p>
          ))}
          {data.request !== null && (
            <pre className="text" role="region" tabIndex={0} aria-label="Request">
              {requestText(data.request)}
            </pre>
          )}
        </>
      )}
    </section>
  );
}

function requestText(request: {
  method: string;
  url: string;
  headers: Record<string, string | undefined>;
  body: unknown;
}): string {
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
  const body = request.body === null ? [] : ['', JSON.stringify(request.body, null, 2)];
  return [`${request.method} ${request.url}`, ...headers, ...body].join('\n');
}
