import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Answer } from '../../../client/client.ts';
import type { Organization } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { useDraft } from '../parts/draft.ts';
import { Field, numberOf } from '../parts/field.tsx';
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
          <Field label="Name" pointer="/name" error={saving.error}>
            {(control) => (
              <input
                {...control}
                required
                value={draft.value.name}
                onChange={({ target }) => draft.set({ name: target.value })}
              />
            )}
          </Field>
          <Field
            label="Days that logs and artifacts are kept"
            hint="Empty: the server's default."
            pointer="/retention_days"
            error={saving.error}
          >
            {(control) => (
              <input
                {...control}
                type="number"
                min={1}
                value={draft.value.retention_days ?? ''}
                onChange={({ target }) => draft.set({ retention_days: numberOf(target.value) })}
              />
            )}
          </Field>
        </fieldset>
        {may('admin') && <Save saving={saving} isChanged={draft.isChanged} reset={draft.reset} />}
      </form>
      <h2>Its id</h2>
      <p className="hint">
        What <code>X-Organization-ID</code> names.
      </p>
      <Copied label="The organization's id" text={organization.id} />
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
      <p className="hint">With projects, people and tokens of its own. Nothing is shared.</p>
      {made !== null && (
        <p role="status">
          {made.name} is there; its admin is {made.admin.email}.
        </p>
      )}
      {made?.admin.password !== undefined && (
        <ToldOnce
          label={`Password of ${made.admin.email}`}
          secret={made.admin.password}
          note={`Give ${made.admin.email} this password now: it is never shown again.`}
          onDone={() => setMade(null)}
        />
      )}
      <form onSubmit={submit}>
        <div className="fields">
          <Field label="Name of the new organization" pointer="/name" error={make.error}>
            {(control) => (
              <input {...control} required value={name} onChange={({ target }) => setName(target.value)} />
            )}
          </Field>
          <Field label="Its admin's e-mail" pointer="/admin_email" error={make.error}>
            {(control) => (
              <input
                {...control}
                type="email"
                required
                autoComplete="off"
                value={email}
                onChange={({ target }) => setEmail(target.value)}
              />
            )}
          </Field>
        </div>
        {make.isError && <Problem error={make.error} />}
        <div className="actions">
          <button type="submit" disabled={make.isPending}>
            Make the organization
          </button>
        </div>
      </form>
    </section>
  );
}
