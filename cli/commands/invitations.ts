import { command } from '../command.ts';
import { allOf } from '../find/take.ts';
import { formatAgo } from '../output/format.ts';

export const invitations = command({
  name: 'invitations',
  summary: 'The invitations that nobody has come with yet',
  async run(shell) {
    const found = await allOf(shell.client().items('listInvitations', { query: { limit: 200 } }));
    shell.out.list(found, {
      none: 'None is open: dctl invitations create E-MAIL makes one.',
      heads: ['E-MAIL', 'ROLE', 'GOOD', 'BY', 'ID'],
      row: (each) => [
        each.email ?? 'whoever comes',
        each.role,
        formatAgo(each.expires_at),
        each.created_by,
        each.id,
      ],
    });
  },
});
