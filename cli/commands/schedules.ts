import { command } from '../command.ts';
import { jobsWithin } from '../find/job.ts';
import { projectOption } from '../options.ts';
import { formatAgo, formatTime } from '../output/format.ts';

export const schedules = command({
  name: 'schedules',
  summary: 'The jobs with a schedule, the next one first',
  details: 'dctl jobs set JOB --cron sets a schedule, --cron none removes it.',
  options: { project: { ...projectOption, about: 'only of this project; that of dctl.json when left out' } },
  async run(shell, given) {
    const found = await jobsWithin(shell, given.project);
    const scheduled = found
      .flatMap(({ job, project }) =>
        job.schedule === null
          ? []
          : [{ ...job.schedule, job_id: job.id, job: job.name, project: project.name, enabled: job.enabled }],
      )
      .toSorted((a, b) => Date.parse(a.next_run_at) - Date.parse(b.next_run_at));
    shell.out.list(scheduled, {
      none: 'No job has a schedule: dctl jobs set JOB --cron "0 6 * * *".',
      heads: ['JOB', 'NEXT RUN', 'SCHEDULE', 'PROJECT', 'PROBLEM'],
      row: ({ job, enabled, next_run_at: next, cron, timezone, project, problem }) => [
        enabled ? job : { text: `${job} (off)`, style: 'dim' },
        `${formatTime(next, timezone)} (${formatAgo(next)})`,
        cron,
        project,
        problem,
      ],
    });
  },
});
