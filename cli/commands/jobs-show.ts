import { command } from '../command.ts';
import { findJob } from '../find/job.ts';
import { jobArgument, projectOption } from '../options.ts';
import { sayJob } from './job-settings.ts';

export const jobsShow = command({
  name: 'jobs show',
  summary: 'A job and its settings',
  arguments: { job: jobArgument },
  options: { project: projectOption },
  async run(shell, given) {
    const { path, project } = await findJob(shell, given.job, given.project);
    const job = await shell.client().call('getJob', { path });
    shell.out.answer(job, () => sayJob(shell, job, project.name));
  },
});
