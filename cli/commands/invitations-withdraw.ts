import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { allOf } from '../find/take.ts';

export const invitationsWithdraw = command({
  name: 'invitations withdraw',
  summary: 'Withdraw an invitation: its link stops working',
  arguments: { invitation: { about: 'the e-mail address it is for, or its id' } },
  async run(shell, given) {
    const client = shell.client();
    const all = await allOf(client.items('listInvitations', { query: { limit: 200 } }));
    const wanted = given.invitation.toLowerCase();
    const found = all.find(({ id, email }) => id === wanted || email === wanted);
    if (found === undefined)
      throw new UsageError(`There is no open invitation for ${given.invitation}: see dctl invitations.`);
    await client.call('withdrawInvitation', { path: { invitation_id: found.id } });
    const { out } = shell;
    out.answer({ withdrawn: found.id }, () =>
      out.say(`The invitation of ${found.email ?? found.id} is withdrawn.`),
    );
  },
});
