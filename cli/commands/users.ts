import type { User } from '../../client/index.ts';
import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { allOf } from '../find/take.ts';
import { formatAgo } from '../output/format.ts';
import type { Shell } from '../shell.ts';
import { suggestion } from '../suggest.ts';

export const roles = ['viewer', 'operator', 'admin'] as const;

export const users = command({
  name: 'users',
  summary: "The organization's people and their roles",
  async run(shell) {
    shell.out.list(await allUsers(shell), {
      none: 'No users yet: dctl invitations create E-MAIL creates an invitation link.',
      heads: ['E-MAIL', 'ROLE', 'SINCE', 'ID'],
      row: ({ email, role, added_at: since, id }) => [email, role, formatAgo(since), id],
    });
  },
});

export function allUsers(shell: Shell): Promise<User[]> {
  return allOf(shell.client().items('listUsers', { query: { limit: 200 } }));
}

export async function findUser(shell: Shell, wanted: string): Promise<User> {
  const all = await allUsers(shell);
  const found = all.find(({ id, email }) => id === wanted || email === wanted.toLowerCase());
  if (found !== undefined) return found;
  const close = suggestion(
    wanted,
    all.map(({ email }) => email),
  );
  throw new UsageError(`There is no user ${wanted} in the organization.${close || ' See dctl users.'}`);
}
