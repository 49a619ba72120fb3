import { command } from '../command.ts';
import { jobsWithin } from '../find/job.ts';
import { projectOption } from '../options.ts';
import { formatAgo } from '../output/format.ts';

export const jobs = command({
  name: 'jobs',
  summary: 'The jobs, with their schedules',
  options: { project: { ...projectOption, about: 'only of this project; that of dctl.json when left out' } },
  async run(shell, given) {
    const { out } = shell;
    const found = await jobsWithin(shell, given.project);
    if (out.isJson) return out.sayJson(found.map(({ job }) => job));
    out.list(found, {
      none: 'There are no jobs yet: the first deployment of a project creates one.',
      heads: ['JOB', 'PROJECT', 'COMMAND', 'SCHEDULE', 'NEXT', 'ID'],
      row: ({ job, project }) => [
        job.enabled ? job.name : { text: `${job.name} (off)`, style: 'dim' },
        project.name,
        job.command,
        job.schedule === null ? '' : `${job.schedule.cron} ${job.schedule.timezone}`,
        job.schedule === null ? '' : formatAgo(job.schedule.next_run_at),
        job.id,
      ],
    });
  },
});
