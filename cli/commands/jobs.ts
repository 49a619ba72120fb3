import type { Job, Project } from '../../client/index.ts';
import { command } from '../command.ts';
import { allProjects, findProject, projectNamed } from '../find/project.ts';
import { projectOption } from '../options.ts';
import { formatAgo } from '../output/format.ts';
import { allOf } from '../find/take.ts';
import type { Shell } from '../shell.ts';

export const jobs = command({
  name: 'jobs',
  summary: 'The jobs, with their schedules',
  options: { project: { ...projectOption, about: 'only of this project; that of dctl.json when left out' } },
  async run(shell, given) {
    const { out } = shell;
    const named = given.project ?? projectNamed(shell, shell.folder);
    const projects =
      named === undefined ? await allProjects(shell.client()) : [await findProject(shell, named)];
    const found = (await Promise.all(projects.map((project) => jobsOf(shell, project)))).flat();
    out.answer(
      found.map(({ job }) => job),
      () => {
        if (found.length === 0) out.say('There is no job yet: the first deployment of a project makes one.');
        else
          out.table(
            ['JOB', 'PROJECT', 'COMMAND', 'SCHEDULE', 'NEXT', 'ID'],
            found.map(({ job, project }) => [
              job.enabled ? job.name : { text: `${job.name} (off)`, style: 'dim' },
              project.name,
              job.command,
              job.schedule === null ? '' : `${job.schedule.cron} ${job.schedule.timezone}`,
              job.schedule === null ? '' : formatAgo(job.schedule.next_run_at),
              job.id,
            ]),
          );
      },
    );
  },
});

async function jobsOf(shell: Shell, project: Project): Promise<{ job: Job; project: Project }[]> {
  const path = { project_id: project.id };
  const all = await allOf(shell.client().items('listJobs', { path, query: { limit: 200 } }));
  return all.map((job) => ({ job, project }));
}
