import { command } from '../command.ts';
import { environments } from '../completion/names.ts';
import { UsageError } from '../failure.ts';
import { findEnvironment } from '../find/environment.ts';
import { findProject } from '../find/project.ts';
import { projectOption } from '../options.ts';
import { environmentSettings, settingOptions } from './environment-settings.ts';

export const environmentsSet = command({
  name: 'environments set',
  summary: 'Change an environment',
  arguments: { environment: { about: 'name or id', completes: environments } },
  options: { ...settingOptions, project: projectOption },
  async run(shell, given) {
    const body = environmentSettings(given);
    if (Object.keys(body).length === 0)
      throw new UsageError('Give at least one setting to change: see dctl environments set --help.');
    const project = await findProject(shell, given.project);
    const { id } = await findEnvironment(shell, project, given.environment);
    const path = { project_id: project.id, environment_id: id };
    const changed = await shell.client().call('changeEnvironment', { path, body });
    shell.out.answer(changed, () => shell.out.say(`${changed.name} is changed.`));
  },
});
