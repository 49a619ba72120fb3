import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { findJob } from '../find/job.ts';
import { jobArgument, projectOption } from '../options.ts';
import { jobOptions, sayJob, settingsFrom } from './job-settings.ts';

export const jobsSet = command({
  name: 'jobs set',
  summary: 'Change a job',
  examples: ['dctl jobs set nightly --cron @daily --webhook-url https://hooks.example.com/dbt'],
  arguments: { job: jobArgument },
  options: {
    name: { about: 'a new name', value: 'NAME' },
    ...jobOptions,
    on: { about: 'turn the job on' },
    off: { about: 'turn the job off: it cannot be triggered' },
    project: projectOption,
  },
  async run(shell, given) {
    if (given.on && given.off) throw new UsageError('Write either --on or --off.');
    const { path, project } = await findJob(shell, given.job, given.project);
    const client = shell.client();
    const now = await client.call('getJob', { path });
    const body = {
      ...(await settingsFrom(shell, project, given, now)),
      ...(given.name === undefined ? {} : { name: given.name }),
      ...(given.on || given.off ? { enabled: given.on } : {}),
    };
    if (Object.keys(body).length === 0)
      throw new UsageError('Give at least one setting to change: see dctl jobs set --help.');
    const job = await client.call('changeJob', { path, body });
    shell.out.answer(job, () => sayJob(shell, job, project.name));
  },
});
