import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Answer } from '../../../client/client.ts';
import type { Job } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Action, ConfirmedAction } from '../parts/action.tsx';
import { Field } from '../parts/field.tsx';
import { ToldOnce } from '../parts/told-once.tsx';
import { When } from '../parts/when.tsx';

/** The secret that webhooks are signed with: shown to whoever asks, and made anew. Both are noted. */
export function WebhookSecret({ job }: { job: Job }) {
  const queries = useQueryClient();
  const path = { project_id: job.project_id, job_id: job.id };
  const [shown, setShown] = useState<Answer<'revealWebhookSecret'> | null>(null);
  const [hours, setHours] = useState('24');
  const reveal = useMutation({ mutationFn: () => api().call('revealWebhookSecret', { path }) });
  const rotate = async () => {
    setShown(await api().call('rotateWebhookSecret', { path, body: { overlap_hours: Number(hours) } }));
    await queries.invalidateQueries({ queryKey: ['job', job.id] });
  };
  const until = job.webhook_previous_secret_until;
  return (
    <section className="card">
      <div className="card-head">
        <h2>Signing secret</h2>
        <div className="actions">
          {shown === null && (
            <Action
              name="Reveal"
              about="signing secret"
              run={async () => setShown(await reveal.mutateAsync())}
            />
          )}
          <ConfirmedAction
            name="Rotate"
            about="signing secret"
            question="Make a new signing secret?"
            className="primary"
            run={rotate}
          >
            <p>
              For a while webhooks are signed with the old one as well, so that the receiver may change when
              it suits.
            </p>
            <Field label="Hours that both are good" hint="0: the old one ends at once. At most 168: a week.">
              {(control) => (
                <input
                  {...control}
                  type="number"
                  min={0}
                  max={168}
                  value={hours}
                  onChange={({ target }) => setHours(target.value)}
                />
              )}
            </Field>
          </ConfirmedAction>
        </div>
      </div>
      {shown !== null && (
        <ToldOnce
          label="Signing secret"
          secret={shown.webhook_secret}
          note="It was noted that you saw it."
          onDone={() => setShown(null)}
        />
      )}
      {until !== null && Date.parse(until) > Date.now() && (
        <p>
          Signed with the old secret as well until <When time={until} />.
        </p>
      )}
      <p className="hint">
        <code>X-Dagctl-Signature: sha256=…</code> is the HMAC-SHA256 of the body with this secret. While there
        is an old one, <code>X-Dagctl-Signature-Previous</code> is the same with that. Who looks at a secret
        stands in the audit log.
      </p>
    </section>
  );
}
