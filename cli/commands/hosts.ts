import { command } from '../command.ts';

export const hosts = command({
  name: 'hosts',
  summary: 'The servers you are logged in to',
  async run({ out, hosts: known }) {
    const all = known.all();
    out.answer(all, () => {
      if (all.length === 0) out.say('None yet: dctl login https://dctl.example.com');
      else
        out.table(
          ['', 'SERVER', 'ORGANIZATION'],
          all.map(({ url, organization, isCurrent }) => [
            isCurrent ? { text: '*', style: 'green' } : '',
            url,
            organization,
          ]),
        );
    });
  },
});
