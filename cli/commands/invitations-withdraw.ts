import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { allOf } from '../find/take.ts';

export const invitationsWithdraw = command({
  name: 'invitations withdraw',
  summary: 'Take an invitation back: its link opens nothing any more',
  arguments: { invitation: { about: 'whom it is for, by e-mail address, or its id' } },
  async run(shell, given) {
    const client = shell.client();
    const all = await allOf(client.items('listInvitations', { query: { limit: 200 } }));
    const wanted = given.invitation.toLowerCase();
    const found = all.find(({ id, email }) => id === wanted || email === wanted);
    if (found === undefined)
      throw new UsageError(`No invitation of ${given.invitation} is open: see dctl invitations.`);
    await client.call('withdrawInvitation', { path: { invitation_id: found.id } });
    const { out } = shell;
    out.answer({ withdrawn: found.id }, () =>
      out.say(`The invitation of ${found.email ?? found.id} is taken back.`),
    );
  },
});
