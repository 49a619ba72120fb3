import { command } from '../command.ts';
import { projects as completeProjects } from '../completion/names.ts';
import { findProject } from '../find/project.ts';
import { plain } from '../output/plain.ts';
import { projectFileName, projectOfFolder } from '../settings/project-file.ts';

export const projectsRename = command({
  name: 'projects rename',
  summary: 'Rename a project',
  arguments: {
    project: { about: 'its name or id', completes: completeProjects },
    name: { about: 'the new name' },
  },
  async run(shell, given) {
    const { out } = shell;
    const { id, name: before } = await findProject(shell, given.project);
    const path = { project_id: id };
    const renamed = await shell.client().call('changeProject', { path, body: { name: given.name } });
    out.answer(renamed, () => out.say(`${plain(before)} is called ${plain(renamed.name)} from now on.`));
    if (projectOfFolder(shell.folder) === before)
      out.note(`${projectFileName} still says ${plain(before)}: write the new name there.`);
  },
});
