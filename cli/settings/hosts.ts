import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure, UsageError } from '../failure.ts';

/** A server, and who one is there. */
export interface Host {
  url: string;
  token: string;
}

interface Stored {
  /** The address of the server that is meant where none is named. */
  current: string | null;
  hosts: Record<string, { token: string; organization: string }>;
}

/** The servers that somebody logged in to, in a file that nobody else may read. */
export interface Hosts {
  readonly file: string;
  all(): { url: string; organization: string; isCurrent: boolean }[];
  /** The one that is meant: named, or the current one. */
  find(named: string | undefined): Host | undefined;
  /** Makes it the current one. */
  add(host: Host, organization: string): void;
  choose(named: string): string;
  remove(named: string | undefined): string;
}

export function openHosts(environment: NodeJS.ProcessEnv): Hosts {
  const file = join(configFolder(environment), 'hosts.json');

  const urlOf = ({ current, hosts }: Stored, named: string | undefined): string | undefined => {
    if (named === undefined) return current ?? undefined;
    const urls = Object.keys(hosts);
    return urls.find((url) => url === normalUrl(named)) ?? urls.find((url) => new URL(url).host === named);
  };
  const requireUrl = (stored: Stored, named: string | undefined): string => {
    const url = urlOf(stored, named);
    if (url !== undefined) return url;
    const known = Object.keys(stored.hosts).join(', ');
    throw new UsageError(
      `You are not logged in${named === undefined ? '' : ` to ${named}`}.${known && ` You are logged in to: ${known}.`}`,
    );
  };

  return {
    file,
    all() {
      const { current, hosts } = read(file);
      return Object.entries(hosts).map(([url, { organization }]) => ({
        url,
        organization,
        isCurrent: url === current,
      }));
    },
    find(named) {
      const stored = read(file);
      const url = urlOf(stored, named);
      const found = url === undefined ? undefined : stored.hosts[url];
      return url === undefined || found === undefined ? undefined : { url, token: found.token };
    },
    add({ url, token }, organization) {
      const { hosts } = read(file);
      write(file, { current: url, hosts: { ...hosts, [url]: { token, organization } } });
    },
    choose(named) {
      const stored = read(file);
      const url = requireUrl(stored, named);
      write(file, { ...stored, current: url });
      return url;
    },
    remove(named) {
      const stored = read(file);
      const url = requireUrl(stored, named);
      const hosts = Object.fromEntries(Object.entries(stored.hosts).filter(([each]) => each !== url));
      const current = stored.current === url ? (Object.keys(hosts)[0] ?? null) : stored.current;
      write(file, { current, hosts });
      return url;
    },
  };
}

/** An address as it is kept: with its scheme, without a slash at its end. https, but for this machine. */
export function normalUrl(text: string): string {
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?(\/|$)/.test(text);
  const given = /^https?:\/\//i.test(text) ? text : `${isLocal ? 'http' : 'https'}://${text}`;
  if (!URL.canParse(given) || /\s/.test(text))
    throw new UsageError(`${text} is not an address: write one such as https://dctl.example.com.`);
  const { origin, pathname, username } = new URL(given);
  if (username !== '')
    throw new UsageError('Write the address without a user name: you log in with a token.');
  return origin + pathname.replace(/\/+$/, '');
}

function configFolder(environment: NodeJS.ProcessEnv): string {
  if (environment['DCTL_CONFIG_DIR']) return environment['DCTL_CONFIG_DIR'];
  return join(environment['XDG_CONFIG_HOME'] || join(environment['HOME'] || homedir(), '.config'), 'dctl');
}

function read(file: string): Stored {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { current: null, hosts: {} };
    throw new Failure(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  // Somebody may have copied it here with other rights.
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  try {
    const { current, hosts } = JSON.parse(text) as Partial<Stored>;
    return { current: current ?? null, hosts: hosts ?? {} };
  } catch {
    throw new Failure(`${file} is damaged: delete it and log in again with dctl login.`);
  }
}

function write(file: string, stored: Stored): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(stored, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, file);
}
