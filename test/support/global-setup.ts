import { join } from 'node:path';
import { ensureDocker } from '../../scripts/setup/docker.ts';
import { ensurePostgres } from '../../scripts/setup/postgres.ts';
import { ensureRunnerImage } from '../../scripts/setup/runner-image.ts';
import { migrate } from '../../src/migrate.ts';
import { ensureChromium } from './chromium.ts';
import { onServer, serverUrl } from './database.ts';
import { startFirst } from './first-start.ts';
import { sharedDatabases, startRedis } from './redis.ts';

/**
 * Once before all tests: a Docker engine, the runner's image, and a Postgres with two databases to copy: one migrated, the
 * other as the first start leaves it.
 * DCTL_TEST_DATABASE_URL names a Postgres server to use in place of an embedded one. DCTL_TEST_QUEUE=redis: messages
 * travel through a Redis that is started here.
 */
export default async function setUp(): Promise<void> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  installChromium(log);
  const docker = await ensureDocker({ log });
  const [image, postgres] = await Promise.all([ensureRunnerImage({ log }), openPostgres(log)]);
  process.env['DCTL_TEST_POSTGRES_URL'] = postgres.url;
  process.env['DCTL_TEST_RUNNER_IMAGE'] = image;

  const template = `dctl_template_${process.pid}`;
  await migrate(serverUrl(template));
  process.env['DCTL_TEST_TEMPLATE'] = template;
  const started = await startFirst(template);

  const redis =
    process.env['DCTL_TEST_QUEUE'] === 'redis' ? await startRedis({ databases: sharedDatabases }) : null;
  if (redis !== null) process.env['DCTL_TEST_REDIS_URL'] = redis.url;

  const stopTestServers = [
    async () => redis?.close(),
    () => onServer(`DROP DATABASE ${template}`),
    () => onServer(`DROP DATABASE ${started.template}`),
    () => postgres.stop(),
    () => docker.stop(),
  ];
  Object.assign(globalThis, { stopTestServers });
}

/** Here, where it costs no test its time. Tests of the console say so where it can't be had. */
function installChromium(log: (line: string) => void): void {
  if (process.getuid?.() !== 0) return;
  try {
    ensureChromium();
  } catch (error) {
    log((error as Error).message);
  }
}

async function openPostgres(log: (line: string) => void): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env['DCTL_TEST_DATABASE_URL'];
  if (given !== undefined) return { url: given, stop: async () => undefined };
  delete process.env['DATABASE_URL'];
  return ensurePostgres({
    directory: join(process.cwd(), '.dctl', 'test', 'postgres'),
    log,
    isDurable: false,
  });
}
