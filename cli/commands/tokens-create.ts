import { command } from '../command.ts';
import { timeAhead } from '../values.ts';

export const tokensCreate = command({
  name: 'tokens create',
  summary: 'Make an API token; its text is shown this once',
  examples: ['dctl tokens create airflow --scope trigger --expires 90d'],
  arguments: { name: { about: 'what it is for' } },
  options: {
    scope: { about: 'what it may (trigger)', value: 'SCOPE', choices: ['read', 'trigger', 'admin'] },
    expires: {
      about: 'good until then: 90d, 2027-12-31; always when left out',
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
      out.note(`Token ${made.name} (${made.scope}). It is shown this once:`);
      out.say(made.token);
    });
  },
});
