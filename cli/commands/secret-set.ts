import { askSecret } from '../ask.ts';
import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { environmentOf } from '../find/environment-path.ts';
import { environmentOption, projectOption } from '../options.ts';

export const secretSet = command({
  name: 'secret set',
  summary: 'Set a variable whose value is never shown again; the value comes from stdin',
  examples: ['dctl secret set DBT_PASSWORD < password.txt', 'dctl secret set DBT_PASSWORD   # asks for it'],
  arguments: { name: { about: 'the name that dbt reads with env_var()' } },
  options: { environment: environmentOption, project: projectOption },
  async run(shell, given) {
    const { out } = shell;
    if (given.name.includes('='))
      throw new UsageError(
        'Give the name only: other users could see a value on the command line. Send it to stdin.',
      );
    const { environment, path } = await environmentOf(shell, given);
    const value = await askSecret(shell, `Value of ${given.name}`);
    const set = await shell
      .client()
      .call('setSecret', { path: { ...path, name: given.name }, body: { value } });
    out.answer(set, () => out.say(`${given.name} is set in ${environment.name}.`));
  },
});
