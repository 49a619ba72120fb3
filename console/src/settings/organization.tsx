import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Answer } from '../../../client/client.ts';
import type { Organization } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { useDraft } from '../parts/draft.ts';
import { numberOf } from '../parts/field.tsx';
import { TextField } from '../parts/text-field.tsx';
import { FormProblem } from '../parts/form-problem.tsx';
import { Problem } from '../parts/problem.tsx';
import { Save } from '../parts/save.tsx';
import { Copied, ToldOnce } from '../parts/told-once.tsx';
import { useSession } from '../session.tsx';

/** The organization that the console is about, and those there are for whoever may make further ones. */
export function OrganizationPage() {
  const { organization, session } = useSession();
  const { data, error, refetch } = useQuery({
    queryKey: ['organization', organization.id],
    queryFn: ({ signal }) =>
      api().call('getOrganization', { path: { organization_id: organization.id } }, { signal }),
  });
  return (
    <>
      <title>Organization · dctl</title>
      {error !== null && <Problem error={error} again={() => void refetch()} />}
      {data !== undefined && <OrganizationForm key={data.id} organization={data} />}
      {session.user.is_server_admin && <NewOrganization />}
    </>
  );
}

function OrganizationForm({ organization }: { organization: Organization }) {
  const { may } = useSession();
  const queries = useQueryClient();
  const draft = useDraft(organization);
  const saving = useMutation({
    mutationFn: () =>
      api().call('changeOrganization', {
        path: { organization_id: organization.id },
        body: draft.change,
      }),
    onSuccess: async (saved) => {
      queries.setQueryData(['organization', organization.id], saved);
      draft.reset();
      await queries.invalidateQueries({ queryKey: ['session'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate();
  };
  return (
    <section className="card">
      <h2>Organization</h2>
      <form onSubmit={submit}>
        <fieldset disabled={!may('admin')} className="fields">
          <TextField
            label="Name"
            pointer="/name"
            error={saving.error}
            required
            value={draft.value.name}
            onChange={(text) => draft.set({ name: text })}
          />
          <TextField
            label="Retention of logs and artifacts (days)"
            hint="Default: the server's."
            pointer="/retention_days"
            error={saving.error}
            type="number"
            min={1}
            value={draft.value.retention_days ?? ''}
            onChange={(text) => draft.set({ retention_days: numberOf(text) })}
          />
        </fieldset>
        {may('admin') && <Save saving={saving} isChanged={draft.isChanged} reset={draft.reset} />}
      </form>
      <h2>Organization ID</h2>
      <p className="hint">
        For the <code>X-Organization-ID</code> header.
      </p>
      <Copied label="Organization ID" text={organization.id} />
    </section>
  );
}

function NewOrganization() {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [made, setMade] = useState<Answer<'createOrganization'> | null>(null);
  const make = useMutation({
    mutationFn: () => api().call('createOrganization', { body: { name, admin_email: email } }),
    onSuccess: async (organization) => {
      setMade(organization);
      setName('');
      setEmail('');
      await queries.invalidateQueries({ queryKey: ['session'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <section className="card">
      <h2>New organization</h2>
      <p className="hint">Organizations share nothing: each has its own projects, users and tokens.</p>
      {made !== null && (
        <p role="status">
          Created {made.name}. Its admin is {made.admin.email}.
        </p>
      )}
      {made?.admin.password !== undefined && (
        <ToldOnce
          label={`Password of ${made.admin.email}`}
          secret={made.admin.password}
          note={`Copy the password of ${made.admin.email} now. It is not shown again.`}
          onDone={() => setMade(null)}
        />
      )}
      <form onSubmit={submit}>
        <div className="fields">
          <TextField
            label="Organization name"
            pointer="/name"
            error={make.error}
            required
            value={name}
            onChange={setName}
          />
          <TextField
            label="Admin e-mail"
            pointer="/admin_email"
            error={make.error}
            type="email"
            required
            autoComplete="off"
            value={email}
            onChange={setEmail}
          />
        </div>
        {make.isError && <FormProblem error={make.error} />}
        <div className="actions">
          <button type="submit" disabled={make.isPending}>
            Create organization
          </button>
        </div>
      </form>
    </section>
  );
}
