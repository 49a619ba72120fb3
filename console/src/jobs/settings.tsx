import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useNavigate } from 'react-router';
import type { Asked } from '../../../client/client.ts';
import type { Job } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { ConfirmedAction } from '../parts/action.tsx';
import { useDraft } from '../parts/draft.ts';
import { Choice, Field, numberOf } from '../parts/field.tsx';
import { TextField } from '../parts/text-field.tsx';
import { Save } from '../parts/save.tsx';
import { useJob } from '../pages/job.tsx';
import { useEnvironments } from '../projects/projects.ts';
import { useSession } from '../session.tsx';
import { Commands } from './commands.tsx';
import { RunAfter } from './run-after.tsx';
import { ScheduleFields } from './schedule-fields.tsx';

/** Everything of a job but its webhook. */
export function JobSettings() {
  const { job, project } = useJob();
  const { may } = useSession();
  const queries = useQueryClient();
  const environments = useEnvironments(project.id);
  const draft = useDraft(job);
  const { value, set } = draft;
  const saving = useMutation({
    mutationFn: () =>
      api().call('changeJob', {
        path: { project_id: project.id, job_id: job.id },
        body: changeOf(draft.change),
      }),
    onSuccess: async (saved) => {
      queries.setQueryData(['job', job.id], saved);
      draft.reset();
      await Promise.all(
        [['jobs', project.id], ['project', project.id], ['projects']].map((queryKey) =>
          queries.invalidateQueries({ queryKey }),
        ),
      );
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate();
  };
  const { error } = saving;
  return (
    <>
      <form onSubmit={submit}>
        <fieldset disabled={!may('admin')}>
          <section className="card">
            <h2>General</h2>
            <div className="fields">
              <TextField
                label="Name"
                pointer="/name"
                error={error}
                required
                value={value.name}
                onChange={(name) => set({ name })}
              />
              <Field label="Environment" pointer="/environment_id" error={error}>
                {(control) => (
                  <select
                    {...control}
                    value={value.environment_id}
                    onChange={({ target }) => set({ environment_id: target.value })}
                  >
                    {(environments.data ?? [{ id: value.environment_id, name: '…' }]).map(({ id, name }) => (
                      <option key={id} value={id}>
                        {name}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              <Field label="Description" whole pointer="/description" error={error}>
                {(control) => (
                  <textarea
                    {...control}
                    rows={2}
                    value={value.description}
                    onChange={({ target }) => set({ description: target.value })}
                  />
                )}
              </Field>
              <Commands
                commands={value.commands}
                projectType={project.type}
                error={error}
                onChange={(commands) => set({ commands })}
              />
              <div className="field whole">
                <Choice label="Enabled" checked={value.enabled} onChange={(enabled) => set({ enabled })} />
              </div>
            </div>
          </section>
          <section className="card">
            <h2>Triggers</h2>
            <ScheduleFields
              schedule={value.schedule}
              error={error}
              onChange={(schedule) => set({ schedule })}
            />
            <RunAfter
              jobId={job.id}
              after={value.run_after}
              error={error}
              onChange={(after) => set({ run_after: after })}
            />
          </section>
          <section className="card">
            <h2>Execution</h2>
            <div className="fields">
              <NumberField
                label="Timeout (seconds)"
                hint="Longer runs are stopped."
                name="timeout_seconds"
                draft={draft}
                error={error}
              />
              <NumberField
                label="Concurrent runs"
                hint="Further runs wait in the queue."
                name="max_parallel_runs"
                draft={draft}
                error={error}
              />
              <NumberField
                label="Threads"
                hint="Default: the environment's."
                name="threads"
                draft={draft}
                error={error}
                mayBeEmpty
              />
              <Field label="Target" hint="Default: the environment's." pointer="/target" error={error}>
                {(control) => (
                  <input
                    {...control}
                    value={value.target ?? ''}
                    onChange={({ target }) => set({ target: target.value === '' ? null : target.value })}
                  />
                )}
              </Field>
              <Field
                label="Retries"
                hint="For runs that failed to start or lost their worker, not for failed models."
                pointer="/automatic_retries/attempts"
                error={error}
              >
                {(control) => (
                  <input
                    {...control}
                    type="number"
                    min={0}
                    max={10}
                    required
                    value={value.automatic_retries.attempts}
                    onChange={({ target }) =>
                      set({
                        automatic_retries: { ...value.automatic_retries, attempts: Number(target.value) },
                      })
                    }
                  />
                )}
              </Field>
              <Field label="Retry delay (seconds)" pointer="/automatic_retries/delay_seconds" error={error}>
                {(control) => (
                  <input
                    {...control}
                    type="number"
                    min={0}
                    required
                    value={value.automatic_retries.delay_seconds}
                    onChange={({ target }) =>
                      set({
                        automatic_retries: {
                          ...value.automatic_retries,
                          delay_seconds: Number(target.value),
                        },
                      })
                    }
                  />
                )}
              </Field>
              <div className="field whole">
                {project.type === 'dbt' && (
                  <>
                    <Choice
                      label="Check source freshness first (the run continues if it fails)"
                      checked={value.generate_sources}
                      onChange={(checked) => set({ generate_sources: checked })}
                    />
                    <Choice
                      label="Generate dbt docs after each run"
                      checked={value.generate_docs}
                      onChange={(checked) => set({ generate_docs: checked })}
                    />
                  </>
                )}
                <Choice
                  label="A new run replaces a queued one with the same command"
                  checked={value.replace_queued}
                  onChange={(checked) => set({ replace_queued: checked })}
                />
              </div>
            </div>
          </section>
        </fieldset>
        {may('admin') && <Save saving={saving} isChanged={draft.isChanged} reset={draft.reset} />}
      </form>
      {may('admin') && <DeleteJob job={job} />}
    </>
  );
}

function NumberField({
  label,
  hint,
  name,
  draft,
  error,
  mayBeEmpty = false,
}: {
  label: string;
  hint: string;
  name: 'timeout_seconds' | 'max_parallel_runs' | 'threads';
  draft: ReturnType<typeof useDraft<Job>>;
  error: unknown;
  mayBeEmpty?: boolean;
}) {
  return (
    <TextField
      label={label}
      hint={hint}
      pointer={`/${name}`}
      error={error}
      type="number"
      min={1}
      required={!mayBeEmpty}
      value={draft.value[name] ?? ''}
      onChange={(text) => draft.set({ [name]: numberOf(text) })}
    />
  );
}

/** What is sent of what was changed: a schedule without what only the server says of it. */
function changeOf({ schedule, ...change }: Partial<Job>): Asked<'changeJob'>['body'] {
  return {
    ...(change as Asked<'changeJob'>['body']),
    ...(schedule === undefined
      ? {}
      : {
          schedule: schedule && {
            cron: schedule.cron,
            timezone: schedule.timezone,
            missed: schedule.missed,
          },
        }),
  };
}

function DeleteJob({ job }: { job: Job }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  return (
    <section className="card danger-zone after-form">
      <div className="card-head">
        <h2>Delete job</h2>
        <ConfirmedAction
          name="Delete"
          question={`Delete ${job.name}?`}
          run={async () => {
            await api().call('deleteJob', { path: { project_id: job.project_id, job_id: job.id } });
            await Promise.all(
              [['jobs'], ['projects'], ['project']].map((queryKey) =>
                queries.invalidateQueries({ queryKey }),
              ),
            );
            await navigate('/jobs');
          }}
        >
          <p>Its schedule and webhook are deleted. Its runs are kept.</p>
        </ConfirmedAction>
      </div>
      <p className="hint">Its runs are kept.</p>
    </section>
  );
}
