import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import type { Job } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { DialogForm } from '../parts/dialog-form.tsx';
import { TextField } from '../parts/text-field.tsx';
import { CommandField } from './command-field.tsx';

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
        title={job.enabled ? undefined : 'This job is disabled.'}
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
  return (
    <DialogForm title={`Run ${job.name}`} action="Run" mutation={trigger} onClose={onClose}>
      {projectType === 'dbt' && (
        <CommandField
          hint="For this run only. Default: the job's command."
          pointer="/command_override"
          error={trigger.error}
          projectType={projectType}
          text={command}
          placeholder={job.command}
          onChange={setCommand}
        />
      )}
      <TextField
        label="Cause"
        hint="Optional. Shown with the run and sent in its webhook."
        pointer="/cause"
        error={trigger.error}
        value={cause}
        placeholder="orders were reloaded"
        onChange={setCause}
      />
    </DialogForm>
  );
}
