import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ensureDocker } from '../scripts/setup/docker.ts';
import { ensurePostgres } from '../scripts/setup/postgres.ts';
import { runCommand } from '../scripts/setup/processes.ts';
import { ensureRunnerImage } from '../scripts/setup/runner-image.ts';
import type { Machine } from './results.ts';
import type { Bench } from './system.ts';

const root = join(import.meta.dirname, '..');
const home = join(root, '.dctl', 'bench');

/** All that measurements stand on: a Postgres of their own, Docker, the runner's image. */
export async function setUp(
  atEnd: (undo: () => Promise<unknown>) => void,
  say: (line: string) => void,
): Promise<Bench> {
  const logFolder = join(home, 'logs');
  rmSync(logFolder, { recursive: true, force: true });
  mkdirSync(logFolder, { recursive: true });
  // Measured on a server of its own, never on one that others use, and with the settings that hold when none is made.
  for (const name of Object.keys(process.env)) {
    if (['DATABASE_URL', 'REDIS_URL'].includes(name) || name.startsWith('DCTL_')) delete process.env[name];
  }
  const docker = await ensureDocker({ log: say, logFile: join(logFolder, 'dockerd.log') });
  atEnd(() => docker.stop());
  const postgres = await ensurePostgres({ directory: join(home, 'postgres'), log: say });
  atEnd(() => postgres.stop());
  const image = await ensureRunnerImage({ log: say });
  return { postgresUrl: postgres.url, image, logFolder, atEnd, say };
}

export async function describeMachine({ postgresUrl, image }: Bench): Promise<Machine> {
  const docker = await runCommand('docker', ['version', '--format', '{{.Server.Version}}']);
  const place = ['run', '--rm', image, 'python3', '-c'];
  const dbt = await runCommand('docker', [
    ...place,
    "from importlib.metadata import version; print(', '.join(f'{p} {version(p)}' for p in ['dbt-core', 'dbt-duckdb']))",
  ]);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return {
    processor: cpus()[0]?.model.trim() ?? process.arch,
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 1024 ** 3),
    system: `${type()} ${release()}`,
    node: process.version,
    docker: docker.trim(),
    postgres: await postgresVersion(postgresUrl),
    dbt: dbt.trim(),
    dctl: version,
  };
}

async function postgresVersion(url: string): Promise<string> {
  const database = new URL(url);
  database.pathname = '/postgres'; // always there
  const client = new pg.Client({ connectionString: database.href });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return rows[0]?.server_version ?? 'unknown';
  } finally {
    await client.end();
  }
}
