import { DctlError } from '../../client/index.ts';
import { ask, askSecret } from '../ask.ts';
import { command } from '../command.ts';
import { Failure } from '../failure.ts';
import { plain } from '../output/plain.ts';
import { normalUrl } from '../settings/hosts.ts';
import type { Shell } from '../shell.ts';

export const login = command({
  name: 'login',
  summary: 'Log in to a server with an API token, from stdin or typed',
  details:
    'Create a token in the console: Settings > Authentication > API Tokens. It is kept in a file that only you can read. You can be logged in to several servers; the last one is the current one (change it with dctl hosts use).',
  examples: ['dctl login https://dctl.example.com', 'dctl login https://dctl.example.com < token.txt'],
  arguments: { url: { about: "the server's address", isOptional: true } },
  async run(shell, given) {
    const { out, hosts } = shell;
    const url = normalUrl(
      given.url ??
        shell.environment['DCTL_URL'] ??
        (await ask(
          shell,
          'Address of the server',
          "Give the server's address: dctl login https://dctl.example.com",
        )),
    );
    if (shell.input.isTTY) out.note(`Make a token at ${url}/console/settings/authentication/api-tokens`);
    const token = (await askSecret(shell, 'Token')).trim();
    const organization = await organizationOf(shell, { url, token });
    hosts.add({ url, token }, organization);
    out.answer({ url, organization }, () => {
      out.say(`${out.paint('green', '✓')} ${url}, organization ${plain(organization)}`);
      out.say(`  ${out.paint('dim', `kept in ${hosts.file}`)}`);
    });
    if (shell.environment['DCTL_URL'] || shell.environment['DAGCTL_URL'])
      out.note('DCTL_URL or DAGCTL_URL is set and goes before this login: unset it to use this server.');
    if (isOpenToListeners(url))
      out.note('The address is http: the token is sent unencrypted. Use https where you can.');
  },
});

/** Of the token, if it is good and a dctl server is there. */
async function organizationOf(shell: Shell, host: { url: string; token: string }): Promise<string> {
  if (!/^[\x21-\x7e]+$/.test(host.token))
    throw new Failure('That is not a token: one is dctl_ and 36 letters and digits, on one line.');
  const answer: { data?: { name: string }[] } | string | null = await shell
    .connect(host)
    .call('listOrganizations')
    .catch((error: unknown) => {
      if (error instanceof DctlError && error.status === 401)
        throw new Failure(`${plain(error.message)} The token was not saved.`, { cause: error });
      throw error;
    });
  const organization = typeof answer === 'object' ? answer?.data?.[0]?.name : undefined;
  if (organization === undefined) throw new Failure(`${host.url} does not answer as a dctl server does.`);
  return organization;
}

function isOpenToListeners(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
