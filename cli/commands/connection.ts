import { command } from '../command.ts';
import { environmentOf } from '../find/environment-path.ts';
import { environmentOption, projectOption } from '../options.ts';
import { plain } from '../output/plain.ts';

export const connection = command({
  name: 'connection',
  summary: 'The warehouse connection of an environment; passwords are shown as ***',
  options: { environment: environmentOption, project: projectOption },
  async run(shell, given) {
    const { out } = shell;
    const { environment } = await environmentOf(shell, given);
    out.answer(environment.connection, () => {
      if (environment.connection === null)
        out.say(
          `${environment.name} has no connection: dbt uses the project's profiles.yml. dctl connection set sets one.`,
        );
      for (const [name, value] of Object.entries(environment.connection ?? {}))
        out.say(`${plain(name)}=${plain(typeof value === 'string' ? value : JSON.stringify(value))}`);
    });
  },
});
