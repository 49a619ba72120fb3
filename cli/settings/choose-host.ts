import { UsageError } from '../failure.ts';
import { normalUrl, type Host, type Hosts } from './hosts.ts';

/**
 * The server that is meant: by --host, by the environment, or the current one of those that were logged in to. A token
 * of the environment goes to the address of the environment and nowhere else.
 */
export function chooseHost(hosts: Hosts, environment: NodeJS.ProcessEnv, named: string | undefined): Host {
  const inEnvironment = ofEnvironment(environment);
  if (named !== undefined) {
    const given = inEnvironment?.url === normalUrl(named) ? inEnvironment : undefined;
    return complete(given, hosts, named) ?? refuse(`You are not logged in to ${named}: dctl login ${named}`);
  }
  if (inEnvironment !== undefined) {
    const { url } = inEnvironment;
    return (
      complete(inEnvironment, hosts, url) ??
      refuse(`There is no token for ${url}: set DCTL_TOKEN, or log in with dctl login ${url}`)
    );
  }
  return (
    hosts.find(undefined) ??
    refuse(
      'You are not logged in: dctl login https://dctl.example.com. In a clone where npm start has run, read its address and token with . .dctl/env; in CI set DCTL_URL and DCTL_TOKEN.',
    )
  );
}

/** `DAGCTL_URL` and `DAGCTL_TOKEN` are what `npm start` leaves in `.dctl/env`. */
function ofEnvironment(
  environment: NodeJS.ProcessEnv,
): { url: string; token: string | undefined } | undefined {
  for (const prefix of ['DCTL', 'DAGCTL']) {
    const url = environment[`${prefix}_URL`];
    const token = environment[`${prefix}_TOKEN`] || undefined;
    if (url) return { url: normalUrl(url), token: token?.trim() };
    if (token !== undefined)
      refuse(`${prefix}_TOKEN is set without ${prefix}_URL: set the server that the token is for.`);
  }
  return undefined;
}

function complete(
  given: { url: string; token: string | undefined } | undefined,
  hosts: Hosts,
  named: string,
): Host | undefined {
  if (given?.token !== undefined) return { url: given.url, token: given.token };
  return hosts.find(named);
}

function refuse(message: string): never {
  throw new UsageError(message);
}
