import { confirm } from '../ask.ts';
import { command } from '../command.ts';
import { findJob } from '../find/job.ts';
import { jobArgument, projectOption, yesOption } from '../options.ts';

export const jobsDelete = command({
  name: 'jobs delete',
  summary: 'Delete a job; its runs stay',
  arguments: { job: jobArgument },
  options: { yes: yesOption, project: projectOption },
  async run(shell, given) {
    const { path, project, job } = await findJob(shell, given.job, given.project);
    await confirm(shell, `Delete job ${project.name}/${job.name}?`, given.yes);
    await shell.client().call('deleteJob', { path });
    shell.out.answer({ deleted: job.id }, () => shell.out.say(`${job.name} is deleted.`));
  },
});
