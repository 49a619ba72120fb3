import { confirm } from '../ask.ts';
import { command } from '../command.ts';
import { environments as completeEnvironments } from '../completion/names.ts';
import { environmentOf } from '../find/environment-path.ts';
import { projectOption, yesOption } from '../options.ts';
import { plain } from '../output/plain.ts';

export const environmentsDelete = command({
  name: 'environments delete',
  summary: 'Delete an environment that no job runs in, with its secrets',
  arguments: { environment: { about: 'name or id', completes: completeEnvironments } },
  options: { yes: yesOption, project: projectOption },
  async run(shell, given) {
    const { project, environment, path } = await environmentOf(shell, given);
    const name = plain(`${project.name}/${environment.name}`);
    await confirm(shell, `Delete environment ${name} with its secrets?`, given.yes);
    await shell.client().call('deleteEnvironment', { path });
    shell.out.answer({ deleted: environment.id }, () => shell.out.say(`${name} is deleted.`));
  },
});
