import { command } from '../command.ts';
import { hosts as completeHosts } from '../completion/names.ts';

export const logout = command({
  name: 'logout',
  summary: 'Forget the token of a server; dctl tokens revoke ends it for good',
  arguments: {
    url: { about: 'the server; the current one when left out', isOptional: true, completes: completeHosts },
  },
  async run({ out, hosts }, given) {
    const url = hosts.remove(given.url);
    out.answer({ url }, () => out.say(`The token of ${url} is forgotten here.`));
  },
});
