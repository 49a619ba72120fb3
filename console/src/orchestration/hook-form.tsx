import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router';
import type { Asked } from '../../../client/client.ts';
import type { Hook } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { AirflowSignIn } from '../parts/airflow-sign-in.tsx';
import { useDraft } from '../parts/draft.ts';
import { Choice, Field } from '../parts/field.tsx';
import { TextField } from '../parts/text-field.tsx';
import { Pairs } from '../parts/pairs.tsx';
import { Problem } from '../parts/problem.tsx';
import { Save } from '../parts/save.tsx';
import { useProjects } from '../projects/projects.ts';
import { useSession } from '../session.tsx';
import { Conditions } from './conditions.tsx';
import { HookPreview } from './hook-preview.tsx';

const methods: Hook['method'][] = ['POST', 'PUT', 'PATCH', 'GET', 'DELETE'];

export function HookForm({ hook, isNew }: { hook: Hook; isNew: boolean }) {
  const { may } = useSession();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const projects = useProjects();
  const draft = useDraft(hook);
  const [formNumber, setFormNumber] = useState(0);
  const [bodyText, setBodyText] = useState(() => textOf(hook.body));
  const { value, set } = draft;
  const path = { hook_id: hook.id };
  const unreadable = problemOf(bodyText);
  const saving = useMutation({
    mutationFn: () =>
      isNew
        ? api().call('createHook', { body: bodyOf(value) })
        : api().call('changeHook', { path, body: draft.change }),
    onSuccess: async (saved) => {
      queries.setQueryData(['hook', saved.id], saved);
      await queries.invalidateQueries({ queryKey: ['hooks'] });
      if (isNew) return navigate(`/orchestration/hooks/${saved.id}`);
      draft.reset();
      setBodyText(textOf(saved.body));
      setFormNumber((before) => before + 1);
    },
  });
  const { error } = saving;
  const reset = () => {
    draft.reset();
    setBodyText(textOf(hook.body));
    setFormNumber((before) => before + 1);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (unreadable === null) saving.mutate();
  };
  return (
    <>
      <form onSubmit={submit}>
        <fieldset disabled={!may('admin')}>
          <section className="card">
            <h2>Request</h2>
            <p className="hint">
              URL, headers and body can use <code>{'${{run.STATUS}}'}</code>,{' '}
              <code>{'${{variables.name}}'}</code> and <code>{'${{secrets.name}}'}</code>.
            </p>
            <div className="fields">
              <TextField
                label="Description"
                whole
                pointer="/description"
                error={error}
                value={value.description}
                onChange={(description) => set({ description })}
              />
              <Field label="Method" pointer="/method" error={error}>
                {(control) => (
                  <select
                    {...control}
                    value={value.method}
                    onChange={({ target }) => set({ method: target.value as Hook['method'] })}
                  >
                    {methods.map((method) => (
                      <option key={method}>{method}</option>
                    ))}
                  </select>
                )}
              </Field>
              <TextField
                label="URL"
                whole
                pointer="/url"
                error={error}
                className="mono"
                required
                spellCheck={false}
                placeholder="https://api.example.com/jobs/${{run.JOB_NAME}}"
                value={value.url}
                onChange={(url) => set({ url })}
              />
              <fieldset className="field whole">
                <legend>Headers</legend>
                <Pairs
                  key={formNumber}
                  pairs={hook.header}
                  what="header"
                  namePlaceholder="Authorization"
                  pointer="/header"
                  error={error}
                  onChange={(header) => set({ header })}
                />
              </fieldset>
              {value.method !== 'GET' && value.method !== 'DELETE' && (
                <Field
                  label="Body"
                  whole
                  hint="JSON object or array. Optional."
                  pointer="/body"
                  error={error}
                >
                  {(control) => (
                    <textarea
                      {...control}
                      className="mono"
                      rows={6}
                      spellCheck={false}
                      value={bodyText}
                      onChange={({ target }) => {
                        setBodyText(target.value);
                        if (problemOf(target.value) === null) set({ body: readBody(target.value) });
                      }}
                    />
                  )}
                </Field>
              )}
              <AirflowSignIn
                auth={value.auth}
                pointer="/auth"
                error={error}
                onChange={(auth) => set({ auth })}
              />
            </div>
          </section>
          <section className="card">
            <h2>Conditions</h2>
            <div className="fields">
              <Conditions
                key={formNumber}
                conditions={value.rules}
                placeholder="STATUS"
                pointer="/rules"
                error={error}
                onChange={(rules) => set({ rules })}
              />
              <fieldset className="field whole">
                <legend>Jobs</legend>
                <p className="hint">None selected: all jobs.</p>
                <div className="choices">
                  {projects.data?.flatMap((project) =>
                    project.jobs.map((job) => (
                      <Choice
                        key={job.id}
                        label={`${project.name} / ${job.name}`}
                        checked={value.jobs.includes(job.id)}
                        onChange={(checked) =>
                          set({
                            jobs: checked
                              ? [...value.jobs, job.id]
                              : value.jobs.filter((each) => each !== job.id),
                          })
                        }
                      />
                    )),
                  )}
                </div>
              </fieldset>
              <div className="field whole">
                <Choice
                  label="Enabled"
                  checked={value.is_active}
                  onChange={(checked) => set({ is_active: checked })}
                />
              </div>
            </div>
          </section>
        </fieldset>
        {unreadable !== null && <Problem error={new Error(unreadable)} />}
        {may('admin') && (
          <Save
            saving={saving}
            isChanged={isNew || draft.isChanged}
            name={isNew ? 'Create' : 'Save'}
            {...(isNew ? {} : { reset })}
          />
        )}
      </form>
      {may('admin') && (
        <HookPreview hook={isNew || draft.isChanged ? bodyOf(value) : null} hookId={hook.id} />
      )}
      {may('admin') && !isNew && (
        <section className="card danger-zone">
          <div className="card-head">
            <h2>Delete hook</h2>
            <ConfirmedAction
              name="Delete"
              question="Delete the hook?"
              run={async () => {
                await api().call('deleteHook', { path });
                await queries.invalidateQueries({ queryKey: ['hooks'] });
                await navigate('/orchestration/hooks');
              }}
            >
              <p>Its past deliveries are kept.</p>
            </ConfirmedAction>
          </div>
        </section>
      )}
    </>
  );
}

const textOf = (body: unknown) => (body === null || body === undefined ? '' : JSON.stringify(body, null, 2));

function problemOf(text: string): string | null {
  try {
    readBody(text);
    return null;
  } catch {
    return 'The body is not valid JSON.';
  }
}

function readBody(text: string): Hook['body'] {
  return (text.trim() === '' ? null : JSON.parse(text)) as Hook['body'];
}

function bodyOf({
  id: _id,
  created_at: _created,
  updated_at: _updated,
  ...hook
}: Hook): Asked<'createHook'>['body'] {
  return hook;
}
