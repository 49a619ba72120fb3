import { command } from '../command.ts';

export const hosts = command({
  name: 'hosts',
  summary: 'The servers you are logged in to',
  async run({ out, hosts: known }) {
    out.list(known.all(), {
      none: 'None yet: dctl login https://dctl.example.com',
      heads: ['', 'SERVER', 'ORGANIZATION'],
      row: ({ url, organization, isCurrent }) => [
        isCurrent ? { text: '*', style: 'green' } : '',
        url,
        organization,
      ],
    });
  },
});
