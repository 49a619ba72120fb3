import { command } from '../command.ts';
import { formatAgo } from '../output/format.ts';
import { allOf } from '../find/take.ts';

export const tokens = command({
  name: 'tokens',
  summary: "The organization's API tokens",
  options: { all: { about: 'include revoked and expired ones', short: 'a' } },
  async run(shell, given) {
    const query = { limit: 200, include_revoked: given.all ? ('1' as const) : ('0' as const) };
    const found = await allOf(shell.client().items('listTokens', { query }));
    shell.out.list(found, {
      none: 'There are no tokens: dctl tokens create NAME creates one.',
      heads: ['NAME', 'SCOPE', 'TOKEN', 'LAST USED', 'EXPIRES', 'ID'],
      row: (each) => [
        each.name,
        each.scope,
        `${each.prefix}...${each.last_four}`,
        each.last_used_at === null ? 'never' : formatAgo(each.last_used_at),
        each.revoked_at === null ? formatAgo(each.expires_at) || 'never' : { text: 'revoked', style: 'dim' },
        each.id,
      ],
    });
  },
});
