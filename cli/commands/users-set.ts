import { command } from '../command.ts';
import { users as completeUsers } from '../completion/names.ts';
import { UsageError } from '../failure.ts';
import { findUser, roles } from './users.ts';

export const usersSet = command({
  name: 'users set',
  summary: "Change somebody's role",
  examples: ['dctl users set ada@example.com --role operator'],
  arguments: { user: { about: 'their e-mail address or id', completes: completeUsers } },
  options: { role: { about: 'viewer reads, operator also triggers', value: 'ROLE', choices: roles } },
  async run(shell, { user, role }) {
    if (role === undefined) throw new UsageError(`Give the role with --role: ${roles.join(', ')}.`);
    const { id } = await findUser(shell, user);
    const changed = await shell.client().call('changeUser', { path: { user_id: id }, body: { role } });
    shell.out.answer(changed, () => shell.out.say(`${changed.email} is ${changed.role} from now on.`));
  },
});
