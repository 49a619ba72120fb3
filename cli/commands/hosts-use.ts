import { command } from '../command.ts';
import { hosts as completeHosts } from '../completion/names.ts';

export const hostsUse = command({
  name: 'hosts use',
  summary: 'Make a server the current one',
  arguments: { url: { about: 'one of those you are logged in to', completes: completeHosts } },
  async run({ out, hosts }, given) {
    const url = hosts.choose(given.url);
    out.answer({ url }, () => out.say(`${url} is the current server from now on.`));
  },
});
