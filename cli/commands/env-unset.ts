import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { environmentOf } from '../find/environment-path.ts';
import { environmentOption, projectOption } from '../options.ts';

export const envUnset = command({
  name: 'env unset',
  summary: 'Remove variables of an environment',
  arguments: { names: { about: 'their names', many: true } },
  options: { environment: environmentOption, project: projectOption },
  async run(shell, given) {
    const { out } = shell;
    const { environment, path } = await environmentOf(shell, given);
    for (const name of given.names)
      if (!Object.hasOwn(environment.env_vars, name))
        throw new UsageError(`${environment.name} has no variable ${name}: see dctl env.`);
    const left = Object.entries(environment.env_vars).filter(([name]) => !given.names.includes(name));
    const body = { env_vars: Object.fromEntries(left) };
    const changed = await shell.client().call('changeEnvironment', { path, body });
    out.answer(changed.env_vars, () => out.say(`Removed from ${changed.name}: ${given.names.join(', ')}.`));
  },
});
