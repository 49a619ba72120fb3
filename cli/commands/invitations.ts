import { command } from '../command.ts';
import { allOf } from '../find/take.ts';
import { formatAgo } from '../output/format.ts';

export const invitations = command({
  name: 'invitations',
  summary: 'The invitations that nobody has accepted yet',
  async run(shell) {
    const found = await allOf(shell.client().items('listInvitations', { query: { limit: 200 } }));
    shell.out.list(found, {
      none: 'There are no open invitations: dctl invitations create E-MAIL creates one.',
      heads: ['E-MAIL', 'ROLE', 'EXPIRES', 'BY', 'ID'],
      row: (each) => [
        each.email ?? 'anyone with the link',
        each.role,
        formatAgo(each.expires_at),
        each.created_by,
        each.id,
      ],
    });
  },
});
