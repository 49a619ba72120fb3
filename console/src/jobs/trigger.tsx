import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router';
import type { Job } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { CommandVerdict, useCommandVerdict } from './command-verdict.tsx';

/** Runs a job now, once it has been asked with which command and why. */
export function TriggerButton({
  job,
  projectType,
  small = false,
}: {
  job: Job;
  projectType: string;
  small?: boolean;
}) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className={small ? undefined : 'primary'}
        disabled={!job.enabled}
        title={job.enabled ? undefined : 'The job is off: it takes no triggers.'}
        aria-label={small ? `Run ${job.name}` : undefined}
        onClick={() => setOpen(true)}
      >
        Run{small ? '' : ' now'}
      </button>
      {isOpen && <TriggerDialog job={job} projectType={projectType} onClose={() => setOpen(false)} />}
    </>
  );
}

function TriggerDialog({
  job,
  projectType,
  onClose,
}: {
  job: Job;
  projectType: string;
  onClose: () => void;
}) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [command, setCommand] = useState('');
  const [cause, setCause] = useState('');
  const verdict = useCommandVerdict(command, projectType);
  const trigger = useMutation({
    mutationFn: () =>
      api().call('triggerRun', {
        path: { project_id: job.project_id, job_id: job.id },
        body: {
          ...(command.trim() === '' ? {} : { command_override: command }),
          ...(cause.trim() === '' ? {} : { cause }),
        },
      }),
    onSuccess: async ({ job_run_id: runId }) => {
      void queries.invalidateQueries({ queryKey: ['runs'] });
      await navigate(`/runs/${runId}`);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    trigger.mutate();
  };
  return (
    <Dialog title={`Run ${job.name}`} onClose={onClose}>
      <form onSubmit={submit}>
        {projectType === 'dbt' && (
          <Field
            label="Command"
            hint="This once. Left empty, it is the job's own."
            pointer="/command_override"
            error={trigger.error}
          >
            {(control) => (
              <>
                <input
                  {...control}
                  className="mono"
                  value={command}
                  placeholder={job.command}
                  spellCheck={false}
                  autoComplete="off"
                  onChange={({ target }) => setCommand(target.value)}
                />
                <CommandVerdict text={command} verdict={verdict} />
              </>
            )}
          </Field>
        )}
        <Field
          label="Why"
          hint="For people: it stands beside the run and in its webhook."
          pointer="/cause"
          error={trigger.error}
        >
          {(control) => (
            <input
              {...control}
              value={cause}
              placeholder="such as: orders were loaded again"
              onChange={({ target }) => setCause(target.value)}
            />
          )}
        </Field>
        {trigger.isError && <Problem error={trigger.error} />}
        <div className="actions">
          <button type="submit" className="primary" disabled={trigger.isPending}>
            Run it
          </button>
          <button type="button" onClick={onClose}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
