import { command } from '../command.ts';
import { findProject } from '../find/project.ts';
import { projectOption } from '../options.ts';
import { jobOptions, sayJob, settingsFrom } from './job-settings.ts';

export const jobsCreate = command({
  name: 'jobs create',
  summary: 'Create a job',
  examples: ['dctl jobs create nightly --command "dbt build" --cron "0 6 * * *" --timezone Europe/Berlin'],
  arguments: { name: { about: 'the name of the job' } },
  options: { ...jobOptions, project: projectOption },
  async run(shell, given) {
    const project = await findProject(shell, given.project);
    const settings = await settingsFrom(shell, project, given, undefined);
    const path = { project_id: project.id };
    const job = await shell.client().call('createJob', { path, body: { ...settings, name: given.name } });
    shell.out.answer(job, () => sayJob(shell, job, project.name));
  },
});
