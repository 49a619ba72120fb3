import { confirm } from '../ask.ts';
import { command } from '../command.ts';
import { users as completeUsers } from '../completion/names.ts';
import { yesOption } from '../options.ts';
import { findUser } from './users.ts';

export const usersRemove = command({
  name: 'users remove',
  summary: 'Remove somebody from the organization',
  arguments: { user: { about: 'their e-mail address or id', completes: completeUsers } },
  options: { yes: yesOption },
  async run(shell, given) {
    const { id, email } = await findUser(shell, given.user);
    await confirm(shell, `Remove ${email} from the organization?`, given.yes);
    await shell.client().call('removeUser', { path: { user_id: id } });
    shell.out.answer({ removed: id }, () => shell.out.say(`${email} is removed.`));
  },
});
