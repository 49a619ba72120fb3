import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Answer } from '../../../client/client.ts';
import type { Job } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Action, ConfirmedAction } from '../parts/action.tsx';
import { TextField } from '../parts/text-field.tsx';
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
            question="Rotate the signing secret?"
            className="primary"
            run={rotate}
          >
            <p>
              During the overlap, webhooks are signed with the old and the new secret, so that you can update
              the receiver.
            </p>
            <TextField
              label="Overlap (hours)"
              hint="0 to 168. 0: the old secret ends at once."
              type="number"
              min={0}
              max={168}
              value={hours}
              onChange={setHours}
            />
          </ConfirmedAction>
        </div>
      </div>
      {shown !== null && (
        <ToldOnce
          label="Signing secret"
          secret={shown.webhook_secret}
          note="Revealing the secret was recorded in the audit log."
          onDone={() => setShown(null)}
        />
      )}
      {until !== null && Date.parse(until) > Date.now() && (
        <p>
          Also signed with the old secret until <When time={until} />.
        </p>
      )}
      <p className="hint">
        <code>X-Dagctl-Signature: sha256=…</code> is the HMAC-SHA256 of the body with this secret; during an
        overlap, <code>X-Dagctl-Signature-Previous</code> is the one with the old secret. Revealing it is
        recorded in the audit log.
      </p>
    </section>
  );
}
