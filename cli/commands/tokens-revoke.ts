import { confirm } from '../ask.ts';
import { command } from '../command.ts';
import { tokens } from '../completion/names.ts';
import { UsageError } from '../failure.ts';
import { allOf } from '../find/take.ts';
import { yesOption } from '../options.ts';

export const tokensRevoke = command({
  name: 'tokens revoke',
  summary: 'Revoke an API token',
  arguments: { token: { about: 'its name or id', completes: tokens } },
  options: { yes: yesOption },
  async run(shell, given) {
    const { out } = shell;
    const client = shell.client();
    const all = await allOf(client.items('listTokens', { query: { limit: 200 } }));
    const found = all.filter(({ id, name }) => id === given.token || name === given.token);
    const [token, ...others] = found;
    if (token === undefined) throw new UsageError(`There is no token ${given.token}: see dctl tokens.`);
    if (others.length > 0)
      throw new UsageError(
        `Several tokens are called ${given.token}. Give the id of one: ${found.map(({ id }) => id).join(', ')}.`,
      );
    await confirm(shell, `Revoke token ${token.name} (${token.prefix}...${token.last_four})?`, given.yes);
    await client.call('revokeToken', { path: { token_id: token.id } });
    out.answer({ revoked: token.id }, () => out.say(`${token.name} is revoked.`));
  },
});
