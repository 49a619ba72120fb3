import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import pg from 'pg';
import { freePort, isFree } from './port.ts';
import {
  ensureAccount,
  ensureBinaries,
  give,
  openFolder,
  readSettings,
  writeSettings,
  type Account,
  type Settings,
} from './postgres-folder.ts';
import { commandOf, lastLines, readIfThere, runCommand, until } from './processes.ts';

export interface PostgresOptions {
  /** Where the server keeps everything: data, binaries, settings, log. Made when absent. */
  directory: string;
  log: (line: string) => void;
  /** False only for tests: faster, and loses data when the machine stops. */
  isDurable?: boolean;
}

export interface Postgres {
  url: string;
  stop(): Promise<void>;
}

/**
 * Makes sure of a Postgres server: the one of DATABASE_URL, or an embedded one in `directory` that listens on
 * 127.0.0.1 only. The embedded one outlives this process, so a killed start loses nothing; the next start
 * finds it by its password and uses it again.
 */
export async function ensurePostgres(options: PostgresOptions): Promise<Postgres> {
  const given = process.env['DATABASE_URL'];
  if (given) return usePostgres(given);

  const account = await ensureAccount();
  const folder = openFolder(options.directory, account);
  const bin = join(ensureBinaries(folder), 'bin');
  if (!existsSync(join(folder, 'data'))) await initialise(folder, bin, account, options);

  const settings = readSettings(folder);
  if (!(await answers(settings))) await startServer(folder, bin, account, settings, options);
  return {
    url: urlOf(settings, 'dctl'),
    stop: () => stopServer(folder, bin, account),
  };
}

async function usePostgres(url: string): Promise<Postgres> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
  } catch (error) {
    // 3D000: the server is there, the database is not. The first migration makes it.
    if ((error as { code?: string }).code !== '3D000') {
      const reason = error instanceof Error && error.message ? error.message : 'no answer';
      throw new Error(
        `DATABASE_URL does not lead to a database (${reason}): correct it, or unset it for an embedded one.`,
        { cause: error },
      );
    }
  } finally {
    await client.end().catch(() => {});
  }
  return { url, stop: async () => {} };
}

/** `data` appears under its name only when initdb is through, so a half-made one is simply made again. */
async function initialise(
  folder: string,
  bin: string,
  account: Account,
  { log }: PostgresOptions,
): Promise<void> {
  log('making the database');
  const unfinished = join(folder, 'data.unfinished');
  const passwordFile = join(folder, 'password.unfinished');
  const password = randomBytes(24).toString('base64url');
  for (const path of [unfinished, passwordFile]) rmSync(path, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  for (const path of [unfinished, passwordFile]) give(path, account);

  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  try {
    await runCommand(
      join(bin, 'initdb'),
      ['--pgdata', unfinished, ...locale, ...access],
      commandFor(folder, account),
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
  writeSettings(folder, { directory: '', port: await freePort(), password });
  renameSync(unfinished, join(folder, 'data'));
}

async function startServer(
  folder: string,
  bin: string,
  account: Account,
  settings: Settings,
  { directory, log, isDurable = true }: PostgresOptions,
): Promise<void> {
  const data = join(folder, 'data');
  await clearStalePid(data);
  if (!(await isFree(settings.port, '127.0.0.1'))) settings.port = await freePort();
  settings.directory = join(realpathSync(dirname(directory)), basename(directory));
  writeSettings(folder, settings);

  const logFile = join(folder, 'server.log');
  writeFileSync(logFile, '', { mode: 0o600 });
  give(logFile, account);
  const server: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    port: settings.port,
    unix_socket_directories: '',
    max_connections: 300,
    ...(isDurable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const flags = Object.entries(server).map(([name, value]) => `-c ${name}=${value}`);
  const args = ['start', '--wait', '--timeout=60', '--pgdata', data, '--log', logFile, '-o', flags.join(' ')];

  // What a killed server leaves behind (its workers, its shared memory) needs a moment to go away.
  let problem: unknown;
  const started = await until(5_000, async () => {
    try {
      await runCommand(join(bin, 'pg_ctl'), args, commandFor(folder, account));
      return true;
    } catch (error) {
      log('waiting for what an earlier server left to end');
      problem = error;
      return undefined;
    }
  });
  if (started) return;
  const reason =
    /(FATAL|PANIC): .*/.exec(readFileSync(logFile, 'utf8'))?.[0] ?? lastLines(String(problem), 1);
  throw new Error(
    `Postgres does not start on the data in ${data} (${reason}): see ${logFile}, then restore the ` +
      `folder from a backup, or move it away to begin with an empty database.`,
    { cause: problem },
  );
}

/** The file names a process: one of ours is waited for, any other proves that the server it meant is gone. */
async function clearStalePid(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid');
  const pid = Number(readIfThere(file)?.split('\n')[0]);
  if (!pid) return;
  const isOurs = async () => (await commandOf(pid))?.includes(data) ?? false;
  const isGone = await until(10_000, async () => ((await isOurs()) ? undefined : true));
  if (!isGone)
    throw new Error(
      `Postgres (process ${pid}) holds ${data} but does not answer: stop it with "kill ${pid}".`,
    );
  rmSync(file, { force: true });
}

async function stopServer(folder: string, bin: string, account: Account): Promise<void> {
  const args = ['stop', '--wait', '--timeout=20', '--mode=fast', '--pgdata', join(folder, 'data')];
  await runCommand(join(bin, 'pg_ctl'), args, commandFor(folder, account));
}

/** The password is random, so whoever lets us in is our own server. */
async function answers(settings: Settings): Promise<boolean> {
  const answer = await until(3_000, async () => {
    const client = new pg.Client({
      connectionString: urlOf(settings, 'postgres'),
      connectionTimeoutMillis: 2_000,
    });
    try {
      await client.connect();
      return true;
    } catch (error) {
      // 57P03: it is starting up, or recovering after a crash.
      return (error as { code?: string }).code === '57P03' ? undefined : false;
    } finally {
      await client.end().catch(() => {});
    }
  });
  return answer ?? false;
}

function urlOf({ port, password }: Settings, database: string): string {
  return `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`;
}

function commandFor(folder: string, account: Account) {
  // Nothing of our environment: PG* variables of the user would change what the programs do.
  return { ...account, cwd: folder, env: { PATH: process.env['PATH'], LC_ALL: 'C' }, timeoutMs: 90_000 };
}
