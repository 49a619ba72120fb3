import { command } from '../command.ts';
import { findProject } from '../find/project.ts';
import { projectOption } from '../options.ts';
import { environmentSettings, settingOptions } from './environment-settings.ts';

export const environmentsCreate = command({
  name: 'environments create',
  summary: 'Create an environment',
  arguments: { name: { about: 'its name, such as staging' } },
  options: { ...settingOptions, project: projectOption },
  async run(shell, given) {
    const { id } = await findProject(shell, given.project);
    const body = { name: given.name, ...environmentSettings(given) };
    const made = await shell.client().call('createEnvironment', { path: { project_id: id }, body });
    shell.out.answer(made, () => shell.out.say(`${made.name} is made: ${made.id}`));
  },
});
