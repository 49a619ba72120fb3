import { command } from '../command.ts';
import { environmentOf } from '../find/environment-path.ts';
import { environmentOption, projectOption } from '../options.ts';
import { plain } from '../output/plain.ts';

export const env = command({
  name: 'env',
  summary: "An environment's variables",
  options: { environment: environmentOption, project: projectOption },
  async run(shell, given) {
    const { out } = shell;
    const { environment } = await environmentOf(shell, given);
    const variables = environment.env_vars;
    out.answer(variables, () => {
      const entries = Object.entries(variables);
      if (entries.length === 0)
        out.say(`${environment.name} has no variables: dctl env set NAME=VALUE sets one.`);
      for (const [name, value = ''] of entries) out.say(`${plain(name)}=${plain(value)}`);
    });
  },
});
