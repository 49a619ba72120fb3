import { randomUUID } from 'node:crypto';
import { command } from '../command.ts';
import { findRun, runArgument } from '../find/run.ts';
import { runProjectOption, waitOptions } from '../options.ts';
import { waitForEnd } from '../runs/wait.ts';
import { sayTriggered } from './trigger.ts';

export const retry = command({
  name: 'retry',
  summary: 'Run again what failed, was skipped or never started in a run',
  arguments: { run: runArgument },
  options: {
    cause: { about: 'why the run was triggered; shown with it', value: 'TEXT' },
    ...waitOptions,
    project: runProjectOption,
  },
  async run(shell, given) {
    const { wait, follow, cancelOnInterrupt, cause } = given;
    const { id } = await findRun(shell, given.run, given.project);
    const asked = { path: { run_id: id }, body: cause === undefined ? {} : { cause } };
    const headers = { 'idempotency-key': randomUUID() };
    const triggered = await shell.client().call('retryRun', asked, { headers });
    return sayTriggered(shell, triggered, wait || follow, () =>
      waitForEnd(shell, triggered.job_run_id, { follow, cancelOnInterrupt }),
    );
  },
});
