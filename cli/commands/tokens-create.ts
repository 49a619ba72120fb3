import { command } from '../command.ts';
import { timeAhead } from '../values.ts';

export const tokensCreate = command({
  name: 'tokens create',
  summary: 'Create an API token; it is shown only once',
  examples: ['dctl tokens create airflow --scope trigger --expires 90d'],
  arguments: { name: { about: 'what it is for' } },
  options: {
    scope: {
      about: 'what the token may do (trigger)',
      value: 'SCOPE',
      choices: ['read', 'trigger', 'admin'],
    },
    expires: {
      about: 'when it expires: 90d, 2027-12-31; never when left out',
      value: 'TIME',
      parse: timeAhead,
    },
  },
  async run(shell, given) {
    const { out } = shell;
    const { name, scope = 'trigger', expires } = given;
    const body = { name, scope, ...(expires === undefined ? {} : { expires_at: expires }) };
    const made = await shell.client().call('createToken', { body });
    out.answer(made, () => {
      out.note(`Token ${made.name} (${made.scope}). It is shown only once:`);
      out.say(made.token);
    });
  },
});
