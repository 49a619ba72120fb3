import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf, readIfThere } from './processes.ts';

const firstStartBytes = 3 * 1024 ** 3;

/** The values of `.dctl/env`, which a shell reads with `. .dctl/env`. */
export interface Environment {
  DAGCTL_URL: string;
  DAGCTL_TOKEN: string;
  ORG_ID: string;
  PROJECT_ID?: string | undefined;
  JOB_ID?: string | undefined;
}

/** `.dctl`, where everything lives that belongs to this clone: keys, database, files, logs. */
export interface Home {
  path(name: string): string;
  secretKey(): string;
  token(): string | undefined;
  /** Where the server was found when it was started last. */
  url(): string | undefined;
  writeEnvironment(values: Environment): void;
}

export function openHome(directory: string): Home {
  const path = (name: string) => join(directory, name);
  for (const folder of ['.', 'logs', 'storage']) mkdirSync(path(folder), { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);

  return {
    path,
    secretKey() {
      const file = path('secret.key');
      const key = read(file)?.trim();
      if (key === undefined) {
        const fresh = randomBytes(32).toString('base64');
        writePrivately(file, `${fresh}\n`);
        return fresh;
      }
      if (Buffer.from(key, 'base64').length === 32) return key;
      // Never replaced by itself: what is stored encrypted would be lost with it.
      throw new Error(
        `${file} is damaged: restore it from a backup, or delete ${directory} to begin with nothing.`,
      );
    },
    token() {
      return /^export DAGCTL_TOKEN='(dctl_[^']+)'$/m.exec(read(path('env')) ?? '')?.[1];
    },
    url() {
      return /^export DAGCTL_URL='([^']+)'$/m.exec(read(path('env')) ?? '')?.[1];
    },
    writeEnvironment(values) {
      const given = Object.entries(values).filter(([, value]) => value !== undefined);
      const lines = given.map(
        ([name, value]) => `export ${name}='${String(value).replaceAll("'", `'\\''`)}'\n`,
      );
      writePrivately(path('env'), lines.join(''));
    },
  };
}

/** One `npm start` at a time. Returns how to give the place up, and whether an earlier one was killed. */
export async function takePlace(lock: string): Promise<{ release(): void; wasKilled: boolean }> {
  const own = `${lock}.${process.pid}`;
  for (let wasKilled = false; ; wasKilled = true) {
    try {
      // Linked into place, so that nobody ever reads a lock without its number.
      writeFileSync(own, String(process.pid), { mode: 0o600 });
      linkSync(own, lock);
      return { release: () => rmSync(lock, { force: true }), wasKilled };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(own, { force: true });
    }
    const held = read(lock);
    const holder = Number(held);
    if ((await commandOf(holder))?.includes('scripts/start.ts')) {
      throw new Error(
        `dctl already runs from this folder (process ${holder}): use it, or stop it with "kill ${holder}".`,
      );
    }
    dropStaleLock(lock, held);
  }
}

/** Takes the lock aside before it looks again: another start may have put a fresh one there meanwhile. */
function dropStaleLock(lock: string, held: string | undefined): void {
  const aside = `${lock}.${process.pid}.stale`;
  try {
    renameSync(lock, aside);
    if (read(aside) !== held) linkSync(aside, lock);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  rmSync(aside, { force: true });
}

/** The runner image, the database and the dependencies have to fit once; later starts need next to nothing. */
export function checkDisk(folders: string[]): void {
  for (const folder of folders) {
    const { bavail, bsize } = statfsSync(folder);
    if (bavail * bsize >= firstStartBytes) continue;
    const free = (bavail * bsize) / 1024 ** 3;
    throw new Error(
      `The first start needs 3 GB of free disk, but ${folder} has ${free.toFixed(1)} GB: make room and start again.`,
    );
  }
}

function read(file: string): string | undefined {
  try {
    return readIfThere(file);
  } catch (error) {
    throw new Error(
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code}): give it back to your user, or delete it.`,
      {
        cause: error,
      },
    );
  }
}

function writePrivately(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
