import { command } from '../command.ts';
import { formatTime } from '../output/format.ts';
import { roles } from './users.ts';

export const invitationsCreate = command({
  name: 'invitations create',
  summary: 'Create an invitation link for a new member; it is shown only once',
  examples: ['dctl invitations create ada@example.com --role operator'],
  arguments: { email: { about: 'their e-mail address' } },
  options: {
    role: { about: 'their role (viewer)', value: 'ROLE', choices: roles },
  },
  async run(shell, { email, role = 'viewer' }) {
    const { out } = shell;
    const made = await shell.client().call('inviteUser', { body: { email, role } });
    out.answer(made, () => {
      out.note(
        `For ${made.email ?? email}, ${made.role}, valid until ${formatTime(made.expires_at)}. It is shown only once:`,
      );
      out.say(made.url);
    });
  },
});
