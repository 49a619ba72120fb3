import { command } from '../command.ts';
import { roles } from './users.ts';

export const invitationsCreate = command({
  name: 'invitations create',
  summary: 'Make a link with which somebody becomes a member; it is shown this once',
  examples: ['dctl invitations create ada@example.com --role operator'],
  arguments: { email: { about: 'their e-mail address' } },
  options: {
    role: { about: 'what they may (viewer)', value: 'ROLE', choices: roles },
  },
  async run(shell, { email, role = 'viewer' }) {
    const { out } = shell;
    const made = await shell.client().call('inviteUser', { body: { email, role } });
    out.answer(made, () => {
      out.note(
        `For ${made.email ?? email}, ${made.role}, good until ${made.expires_at}. It is shown this once:`,
      );
      out.say(made.url);
    });
  },
});
