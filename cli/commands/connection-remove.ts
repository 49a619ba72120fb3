import { command } from '../command.ts';
import { environmentOf } from '../find/environment-path.ts';
import { environmentOption, projectOption } from '../options.ts';

export const connectionRemove = command({
  name: 'connection remove',
  summary: "Remove the connection: dbt uses the project's profiles.yml again",
  options: { environment: environmentOption, project: projectOption },
  async run(shell, given) {
    const { out } = shell;
    const { environment, path } = await environmentOf(shell, given);
    await shell.client().call('changeEnvironment', { path, body: { connection: null } });
    out.answer(null, () => out.say(`${environment.name} uses the project's profiles.yml from now on.`));
  },
});
