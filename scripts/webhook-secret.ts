import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openHome } from './setup/home.ts';
import { ensurePostgres } from './setup/postgres.ts';
import { runCommand } from './setup/processes.ts';

// `npm run webhook-secret -- <job id>`: the secret that the job's webhooks are signed with, from this clone's server.
const [jobId] = process.argv.slice(2);
if (jobId === undefined) {
  console.error('Say which job: npm run webhook-secret -- "$JOB_ID"');
  process.exit(2);
}

const home = openHome(join(import.meta.dirname, '..', '.dctl'));
const isServing = existsSync(home.path('start.lock'));
const postgres = await ensurePostgres({ directory: home.path('postgres'), log: () => undefined });
try {
  const environment = {
    DCTL_SECRET_KEY: home.secretKey(),
    DCTL_STORAGE_DIR: home.path('storage'),
    ...process.env,
    DATABASE_URL: postgres.url,
  };
  const script = ['dist/src/reveal-webhook-secret.js', jobId];
  console.log((await runCommand(process.execPath, script, { env: environment, timeoutMs: 30_000 })).trim());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  // The database belongs to the server that runs from here.
  if (!isServing) await postgres.stop();
}
