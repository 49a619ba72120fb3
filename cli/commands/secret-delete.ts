import { command } from '../command.ts';
import { environmentOf } from '../find/environment-path.ts';
import { environmentOption, projectOption } from '../options.ts';

export const secretDelete = command({
  name: 'secret delete',
  summary: 'Delete a secret',
  arguments: { name: { about: 'its name' } },
  options: { environment: environmentOption, project: projectOption },
  async run(shell, given) {
    const { out } = shell;
    const { environment, path } = await environmentOf(shell, given);
    await shell.client().call('deleteSecret', { path: { ...path, name: given.name } });
    out.answer({ deleted: given.name }, () => out.say(`${given.name} is gone from ${environment.name}.`));
  },
});
