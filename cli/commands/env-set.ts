import { askSecret } from '../ask.ts';
import { command } from '../command.ts';
import { environmentOf } from '../find/environment-path.ts';
import { environmentOption, projectOption } from '../options.ts';
import { assignment } from '../values.ts';

export const envSet = command({
  name: 'env set',
  summary: 'Set variables of an environment (for secret values: dctl secret set)',
  examples: ['dctl env set DBT_SCHEMA=analytics', 'dctl env set DBT_REGIONS < regions.txt'],
  arguments: { variables: { about: 'NAME=VALUE, or NAME alone with its value from stdin', many: true } },
  options: { environment: environmentOption, project: projectOption },
  async run(shell, given) {
    const { out } = shell;
    const { environment, path } = await environmentOf(shell, given);
    const set: [string, string][] = [];
    for (const text of given.variables)
      set.push(text.includes('=') ? assignment(text) : [text, await askSecret(shell, `Value of ${text}`)]);
    const body = { env_vars: { ...environment.env_vars, ...Object.fromEntries(set) } };
    const changed = await shell.client().call('changeEnvironment', { path, body });
    out.answer(changed.env_vars, () =>
      out.say(`Set in ${changed.name}: ${set.map(([name]) => name).join(', ')}.`),
    );
  },
});
