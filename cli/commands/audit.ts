import { command } from '../command.ts';
import { newest } from '../find/take.ts';
import { limitOption } from '../options.ts';
import { formatAgo } from '../output/format.ts';

export const audit = command({
  name: 'audit',
  summary: 'Who did what in the organization, the newest first',
  examples: ['dctl audit --action webhook.secret_revealed', 'dctl audit --subject 8a95a264-... --json'],
  options: {
    action: { about: 'only this action, such as job.changed', value: 'ACTION' },
    subject: { about: 'only actions on the object with this id', value: 'ID' },
    address: { about: 'only requests from this address', value: 'ADDRESS' },
    limit: limitOption,
  },
  async run(shell, { action, subject, address, limit }) {
    const filters = {
      ...(action === undefined ? {} : { action }),
      ...(subject === undefined ? {} : { subject_id: subject }),
      ...(address === undefined ? {} : { address }),
    };
    const client = shell.client();
    const found = await newest(limit, (page) =>
      client.items('listAuditEvents', { query: { ...filters, ...page } }),
    );
    shell.out.list(found, {
      none: 'No audit events match.',
      heads: ['WHEN', 'WHO', 'DID', 'TO', 'FROM', 'DETAILS'],
      row: ({ created_at: at, actor, action: did, subject: to, address: from, details }) => [
        formatAgo(at),
        actor.kind === 'user' ? actor.name : `${actor.kind} ${actor.name}`,
        did,
        `${to.kind} ${to.id}`,
        from,
        details === null ? '' : JSON.stringify(details),
      ],
    });
  },
});
