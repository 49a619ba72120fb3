import { confirm } from '../ask.ts';
import { command } from '../command.ts';
import { projects as completeProjects } from '../completion/names.ts';
import { findProject } from '../find/project.ts';
import { yesOption } from '../options.ts';
import { countOf } from '../output/format.ts';
import { plain } from '../output/plain.ts';

export const projectsDelete = command({
  name: 'projects delete',
  summary: 'Delete a project with its jobs, environments and code; its runs stay',
  arguments: { project: { about: 'its name or id', completes: completeProjects } },
  options: { yes: yesOption },
  async run(shell, given) {
    const { id, name, jobs } = await findProject(shell, given.project);
    const what = `project ${plain(name)} with ${countOf(jobs.length, 'job')}`;
    await confirm(shell, `Delete ${what}?`, given.yes);
    await shell.client().call('deleteProject', { path: { project_id: id } });
    shell.out.answer({ deleted: id }, () => shell.out.say(`${plain(name)} is deleted.`));
  },
});
