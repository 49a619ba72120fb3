import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router';
import type { Asked } from '../../../client/client.ts';
import type { EventRule, EventSource, Project } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { useDraft } from '../parts/draft.ts';
import { Choice, Field, numberOf } from '../parts/field.tsx';
import { TextField } from '../parts/text-field.tsx';
import { Pairs } from '../parts/pairs.tsx';
import { Save } from '../parts/save.tsx';
import { useSession } from '../session.tsx';
import { listOf, scalarOf, valueText } from './condition-text.ts';
import { Conditions } from './conditions.tsx';
import { RulePreview } from './rule-preview.tsx';

type Body = Asked<'createEventRule'>['body'];

export function RuleForm({
  rule,
  isNew,
  sources,
  projects,
}: {
  rule: EventRule;
  isNew: boolean;
  sources: EventSource[];
  projects: Project[];
}) {
  const { may } = useSession();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const draft = useDraft(rule);
  const [formNumber, setFormNumber] = useState(0);
  const [untilText, setUntilText] = useState(() => rule.window_until?.values.map(valueText).join(', ') ?? '');
  const { value, set } = draft;
  const path = { rule_id: rule.id };
  const saving = useMutation({
    mutationFn: () =>
      isNew
        ? api().call('createEventRule', { body: bodyOf(value) })
        : api().call('changeEventRule', { path, body: draft.change }),
    onSuccess: async (saved) => {
      queries.setQueryData(['event rule', saved.id], saved);
      await queries.invalidateQueries({ queryKey: ['event rules'] });
      if (isNew) return navigate(`/orchestration/rules/${saved.id}`);
      startAnew();
    },
  });
  const { error } = saving;
  const startAnew = () => {
    draft.reset();
    setUntilText(rule.window_until?.values.map(valueText).join(', ') ?? '');
    setFormNumber((before) => before + 1);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate();
  };
  const jobs = projects.flatMap((project) =>
    project.jobs.map((job) => ({ id: job.id, projectId: project.id, name: `${project.name} / ${job.name}` })),
  );
  return (
    <>
      <form onSubmit={submit}>
        <fieldset disabled={!may('admin')}>
          <section className="card">
            <h2>Events</h2>
            <div className="fields">
              <TextField
                label="Name"
                pointer="/name"
                error={error}
                required
                value={value.name}
                onChange={(name) => set({ name })}
              />
              <Field label="Source" pointer="/source_id" error={error}>
                {(control) => (
                  <select
                    {...control}
                    value={value.source_id}
                    onChange={({ target }) => set({ source_id: target.value })}
                  >
                    {sources.map(({ id, name }) => (
                      <option key={id} value={id}>
                        {name}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <Conditions
                key={formNumber}
                conditions={value.conditions}
                placeholder="data.table"
                pointer="/conditions"
                error={error}
                onChange={(conditions) => set({ conditions })}
              />
              <div className="field whole">
                <Choice
                  label="Enabled"
                  checked={value.is_active}
                  onChange={(checked) => set({ is_active: checked })}
                />
              </div>
            </div>
          </section>
          <section className="card">
            <h2>Run</h2>
            <div className="fields">
              <Field label="Job" pointer="/job_id" error={error}>
                {(control) => (
                  <select
                    {...control}
                    value={value.job_id}
                    onChange={({ target }) =>
                      set({
                        job_id: target.value,
                        project_id: jobs.find(({ id }) => id === target.value)?.projectId ?? value.project_id,
                      })
                    }
                  >
                    {value.job_id !== '' && !jobs.some(({ id }) => id === value.job_id) && (
                      <option value={value.job_id}>(deleted)</option>
                    )}
                    {jobs.map(({ id, name }) => (
                      <option key={id} value={id}>
                        {name}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <Field
                label="Command"
                whole
                hint={
                  <>
                    Default: the job's command. <code>{'${{event.data.table}}'}</code> inserts a value of the
                    event.
                  </>
                }
                pointer="/command_override"
                error={error}
              >
                {(control) => (
                  <input
                    {...control}
                    className="mono"
                    spellCheck={false}
                    placeholder="dbt build --select source:raw.${{event.data.table}}+"
                    value={value.command_override ?? ''}
                    onChange={({ target }) =>
                      set({ command_override: target.value === '' ? null : target.value })
                    }
                  />
                )}
              </Field>
              <TextField
                label="Cause"
                whole
                hint="Shown with the run."
                pointer="/cause"
                error={error}
                placeholder="${{received.SOURCE}} loaded ${{event.data.table}}"
                value={value.cause ?? ''}
                onChange={(text) => set({ cause: text === '' ? null : text })}
              />
              <fieldset className="field whole">
                <legend>Metadata</legend>
                <Pairs
                  key={formNumber}
                  pairs={Object.fromEntries(
                    Object.entries(rule.metadata ?? {}).map(([name, fact]) => [name, String(fact)]),
                  )}
                  what="metadata"
                  namePlaceholder="rows"
                  pointer="/metadata"
                  error={error}
                  onChange={(metadata) =>
                    set({ metadata: Object.keys(metadata).length === 0 ? null : metadata })
                  }
                />
              </fieldset>
            </div>
          </section>
          <section className="card">
            <h2>Gathering</h2>
            <div className="fields">
              <TextField
                label="Window (seconds)"
                hint="Events within the window trigger one run. Default: one run per event."
                pointer="/window_seconds"
                error={error}
                type="number"
                min={1}
                value={value.window_seconds ?? ''}
                onChange={(text) => {
                  const seconds = numberOf(text);
                  set({ window_seconds: seconds, ...(seconds === null ? { window_until: null } : {}) });
                }}
              />
              {value.window_seconds !== null && (
                <>
                  <TextField
                    label="Close early: field"
                    hint="Optional."
                    pointer="/window_until/variable_name"
                    error={error}
                    className="mono"
                    placeholder="data.table"
                    value={value.window_until?.variable_name ?? ''}
                    onChange={(text) => set({ window_until: untilOf(text, untilText) })}
                  />
                  <TextField
                    label="Close early: when all of these values have arrived"
                    hint="Comma-separated."
                    pointer="/window_until/values"
                    error={error}
                    className="mono"
                    placeholder="orders, payments"
                    value={untilText}
                    onChange={(text) => {
                      setUntilText(text);
                      set({
                        window_until: untilOf(value.window_until?.variable_name ?? '', text),
                      });
                    }}
                  />
                </>
              )}
            </div>
          </section>
        </fieldset>
        {may('admin') && (
          <Save
            saving={saving}
            isChanged={isNew || draft.isChanged}
            name={isNew ? 'Create' : 'Save'}
            {...(isNew ? {} : { reset: startAnew })}
          />
        )}
      </form>
      {may('admin') && (
        <RulePreview asked={isNew ? { rule: bodyOf(value) } : { rule_id: rule.id, changes: draft.change }} />
      )}
      {may('admin') && !isNew && (
        <section className="card danger-zone after-form">
          <div className="card-head">
            <h2>Delete rule</h2>
            <ConfirmedAction
              name="Delete"
              question={`Delete ${rule.name}?`}
              run={async () => {
                await api().call('deleteEventRule', { path });
                await queries.invalidateQueries({ queryKey: ['event rules'] });
                await navigate('/orchestration/rules');
              }}
            >
              <p>Its past results are kept.</p>
            </ConfirmedAction>
          </div>
        </section>
      )}
    </>
  );
}

function untilOf(name: string, text: string): EventRule['window_until'] {
  const values = listOf(text)
    .map(scalarOf)
    .map((each) => each ?? 'null');
  if (name === '' && values.length === 0) return null;
  return { variable_name: name, values: values as NonNullable<EventRule['window_until']>['values'] };
}

function bodyOf({ id: _id, created_at: _created, updated_at: _updated, ...rule }: EventRule): Body {
  return rule;
}
