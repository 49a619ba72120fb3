import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openHome } from './setup/home.ts';
import { ensurePostgres } from './setup/postgres.ts';

// `npm run operate -- <command>`: what whoever has a shell can do, on this clone's server, running or not.
const args = process.argv.slice(2);
const home = openHome(join(import.meta.dirname, '..', '.dctl'));
const isServing = existsSync(home.path('start.lock'));
const postgres = await ensurePostgres({ directory: home.path('postgres'), log: () => undefined });
try {
  const url = home.url();
  const environment = {
    DCTL_SECRET_KEY: home.secretKey(),
    DCTL_STORAGE_DIR: home.path('storage'),
    // Links lead to where it was started.
    ...(url === undefined ? {} : { DCTL_PUBLIC_URL: url }),
    ...process.env,
    DATABASE_URL: postgres.url,
  };
  const child = spawn(process.execPath, ['dist/src/operate.js', ...args], {
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  process.exitCode = exitCode ?? 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  // The database belongs to the server that runs from here.
  if (!isServing) await postgres.stop();
}
