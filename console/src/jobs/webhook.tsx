import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Asked } from '../../../client/client.ts';
import type { Job } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Action } from '../parts/action.tsx';
import { useDraft } from '../parts/draft.ts';
import { Choice, Field } from '../parts/field.tsx';
import { Save } from '../parts/save.tsx';
import { useJob } from '../pages/job.tsx';
import { useSession } from '../session.tsx';
import { AirflowSignIn } from '../parts/airflow-sign-in.tsx';
import { JobDeliveries } from './deliveries.tsx';
import { Pairs } from '../parts/pairs.tsx';
import { WebhookSecret } from './webhook-secret.tsx';

/** Whom the end of a job's run is told to, how it is signed, and what became of what was sent. */
export function JobWebhook() {
  const { job } = useJob();
  const { may } = useSession();
  return (
    <>
      <WebhookForm job={job} />
      {job.webhook_url !== null && may('admin') && <WebhookSecret job={job} />}
      <JobDeliveries job={job} />
    </>
  );
}

const events = [
  ['completed', 'completed (success)'],
  ['partial', 'partial'],
  ['failed', 'failed'],
] as const;

function WebhookForm({ job }: { job: Job }) {
  const { may } = useSession();
  const queries = useQueryClient();
  const path = { project_id: job.project_id, job_id: job.id };
  const draft = useDraft(job);
  const [formNumber, setFormNumber] = useState(0);
  const { value, set } = draft;
  const saving = useMutation({
    mutationFn: () => api().call('changeJob', { path, body: draft.change as Asked<'changeJob'>['body'] }),
    onSuccess: (saved) => {
      queries.setQueryData(['job', job.id], saved);
      draft.reset();
      setFormNumber((before) => before + 1);
    },
  });
  const { error } = saving;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate();
  };
  const reset = () => {
    draft.reset();
    saving.reset();
    setFormNumber((before) => before + 1);
  };
  return (
    <section className="card">
      <div className="card-head">
        <h2>Webhook</h2>
        <span className={job.webhook_enabled ? 'badge good' : 'badge'}>
          {job.webhook_enabled ? 'enabled' : 'disabled'}
        </span>
      </div>
      <p className="hint">A signed POST request to this URL when a run of this job ends.</p>
      <form onSubmit={submit}>
        <fieldset disabled={!may('admin')} className="fields">
          <Field
            label="URL"
            whole
            hint="Changing the URL creates a new signing secret."
            pointer="/webhook_url"
            error={error}
          >
            {(control) => (
              <input
                {...control}
                type="url"
                placeholder="https://airflow.example.com/api/v2/dags/downstream/dagRuns"
                value={value.webhook_url ?? ''}
                onChange={({ target }) =>
                  set({
                    webhook_url: target.value === '' ? null : target.value,
                    // Whoever writes a URL means it to be used.
                    ...(job.webhook_url === null ? { webhook_enabled: target.value !== '' } : {}),
                  })
                }
              />
            )}
          </Field>
          <div className="field whole">
            <Choice
              label="Enabled"
              checked={value.webhook_enabled}
              onChange={(checked) => set({ webhook_enabled: checked })}
            />
          </div>
          <fieldset className="field whole">
            <legend>Events</legend>
            <div className="choices">
              {events.map(([event, said]) => (
                <Choice
                  key={event}
                  label={said}
                  checked={value.webhook_events.length === 0 || value.webhook_events.includes(event)}
                  onChange={(checked) =>
                    set({ webhook_events: withEvent(value.webhook_events, event, checked) })
                  }
                />
              ))}
            </div>
          </fieldset>
          <fieldset className="field whole">
            <legend>Headers</legend>
            <Pairs
              key={formNumber}
              pairs={value.webhook_headers}
              what="header"
              namePlaceholder="Authorization"
              isSecret
              pointer="/webhook_headers"
              error={error}
              onChange={(webhook_headers) => set({ webhook_headers })}
            />
          </fieldset>
          <AirflowSignIn
            auth={value.webhook_auth}
            pointer="/webhook_auth"
            error={error}
            onChange={(webhook_auth) => set({ webhook_auth })}
          />
        </fieldset>
        {may('admin') && (
          <>
            <Save saving={saving} isChanged={draft.isChanged} reset={reset} />
            {job.webhook_url !== null && (
              <div className="actions">
                <Action
                  name="Send test"
                  disabled={draft.isChanged}
                  run={async () => {
                    await api().call('testWebhook', { path });
                    await queries.invalidateQueries({ queryKey: ['deliveries', job.id] });
                  }}
                />
                <span className="hint">
                  {draft.isChanged ? 'Save your changes first.' : 'Sends a sample event to the URL.'}
                </span>
              </div>
            )}
          </>
        )}
      </form>
    </section>
  );
}

type Event = Job['webhook_events'][number];

/** All of them is what an empty list says; none at all cannot be said, and leaves the last one. */
function withEvent(chosen: Event[], event: Event, isWanted: boolean): Event[] {
  const before: Event[] = chosen.length === 0 ? events.map(([each]) => each) : chosen;
  const now = events
    .map(([each]) => each)
    .filter((each) => (each === event ? isWanted : before.includes(each)));
  if (now.length === 0) return [event];
  return now.length === events.length ? [] : now;
}
