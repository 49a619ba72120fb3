// `npm start`: everything that dctl needs, dctl itself, and one dbt run to show that it works.
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../src/config.ts';
import { deployExample, showRun } from './demo.ts';
import { openApiClient } from './setup/api-client.ts';
import { ensureDocker } from './setup/docker.ts';
import { checkDisk, openHome, takePlace, type Home } from './setup/home.ts';
import { ownServer, type OwnServer } from './setup/own-server.ts';
import { choosePort } from './setup/port.ts';
import { ensurePostgres } from './setup/postgres.ts';
import { lastLines, readIfThere, runCommand, startService, until, type Service } from './setup/processes.ts';
import { checkRedis } from './setup/redis.ts';
import { ensureRunnerImage } from './setup/runner-image.ts';
import { openSteps, paint } from './setup/steps.ts';

const usage = `Usage: npm start [-- --exit]

Sets up what dctl needs, starts it, shows one dbt run, and serves until Ctrl-C.

  --exit   stop after that run; the exit code says whether it and its webhook were good
  --help   show this

Settings (environment): DCTL_PORT, DATABASE_URL, REDIS_URL, DOCKER_HOST.`;

/** Loopback and private networks. Never 169.254.0.0/16 or fd00::/8, where clouds hand out credentials. */
const webhookRanges = '127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16';

const root = join(import.meta.dirname, '..');
const steps = openSteps();
const toUndo: (() => unknown)[] = [];
const services: Service[] = [];
let isServing = false;
let isStopping = false;

process.chdir(root);
for (const [signal, exitCode] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => (isStopping ? end(exitCode) : void stop(isServing ? 0 : exitCode)));
}
// The launcher is gone without a signal for us: it was killed.
process.once('disconnect', () => void stop(1));
process.channel?.unref();
main(process.argv.slice(2)).then(stop, (error: unknown) => {
  if (!isStopping) sayProblem(error);
  return stop(1);
});

async function main(args: string[]): Promise<number> {
  const unknown = args.find((arg) => !['--exit', '--help'].includes(arg));
  if (unknown) {
    console.error(`npm start does not know ${unknown}.\n\n${usage}`);
    return 2;
  }
  if (args.includes('--help')) {
    console.log(usage);
    return 0;
  }

  const home = openHome(join(root, '.dctl'));
  const place = await takePlace(home.path('start.lock'));
  toUndo.push(place.release);
  steps.say(paint('bold', 'dctl'));
  if (home.token() === undefined) checkDisk([root]);
  const host = process.env['DCTL_HOST'] || '127.0.0.1';
  const patienceMs = place.wasKilled ? 5_000 : 0;
  const { port, note } = await choosePort(process.env['DCTL_PORT'], { host, patienceMs });
  const environment = await setUp(home, { host, port });
  const server = ownServer(readConfig(environment));
  const { url } = server;
  const first = await bootstrap(home, environment, url);
  const ids = { DAGCTL_URL: url, DAGCTL_TOKEN: first.token, ORG_ID: first.organizationId };
  home.writeEnvironment(ids);
  await steps.run(
    'API and worker',
    () => startServices(home, environment, server),
    () => `on ${url}${note && ` (${note})`}`,
  );

  const api = openApiClient({ ...server, token: first.token, organizationId: first.organizationId });
  const example = await orEnded(
    steps.run(
      'Example project',
      () => deployExample(api, join(root, 'examples/jaffle_shop')),
      () => 'jaffle_shop',
    ),
  );
  home.writeEnvironment({ ...ids, PROJECT_ID: example.projectId, JOB_ID: example.jobId });

  const revealSecret = async (jobId: string) =>
    (await runScript(['dist/src/operate.js', 'webhook-secret', jobId], environment)).trim();
  let problem: string | undefined;
  if (example.isExample) problem = await orEnded(showRun(api, example, { steps, revealSecret }));
  else steps.say('  The example project has code of your own by now: nothing is run in it.');
  if (problem) steps.say(paint('red', problem));
  if (args.includes('--exit')) return problem ? 1 : 0;

  isServing = true;
  sayAddress(home, url, first.invitationUrl);
  await orEnded(new Promise<never>(() => {}));
  return 0;
}

/** The parts that dctl stands on, side by side. Answers the environment for its processes. */
async function setUp(home: Home, { host, port }: { host: string; port: number }): Promise<NodeJS.ProcessEnv> {
  const redisUrl = process.env['REDIS_URL'];
  const runner = async () => {
    await steps.run(
      'Docker',
      (log) => undoable(ensureDocker({ log, logFile: home.path('logs/dockerd.log') })),
      ({ summary }) => summary,
    );
    return steps.run(
      'Runner image',
      (log) => ensureRunnerImage({ log }),
      (image) => image,
    );
  };
  const database = async () => {
    const postgres = await steps.run(
      'Postgres',
      (log) => undoable(ensurePostgres({ directory: home.path('postgres'), log })),
      ({ url }) => `on ${new URL(url).host}`,
    );
    return postgres.url;
  };
  const queue = async () => {
    if (redisUrl)
      await steps.run(
        'Queue',
        () => checkRedis(redisUrl),
        () => 'in Redis',
      );
    else steps.say(`  ${paint('green', '✓')} Queue in Postgres (set REDIS_URL for one in Redis)`);
  };
  const parts = await Promise.allSettled([runner(), database(), queue()] as const);
  const failed = parts.find((part) => part.status === 'rejected');
  if (failed) throw failed.reason;
  const [image, databaseUrl] = parts.map((part) => (part as PromiseFulfilledResult<string>).value);

  return {
    DCTL_STORAGE_DIR: home.path('storage'),
    DCTL_WEBHOOK_ALLOW_CIDRS: webhookRanges,
    DCTL_SECRET_KEY: home.secretKey(),
    DCTL_RUNNER_IMAGE: image,
    ...process.env,
    DATABASE_URL: databaseUrl,
    DCTL_HOST: host,
    DCTL_PORT: String(port),
  };
}

/**
 * Migrates the database and makes the organization and token of the first start, and, while nobody has an account, the
 * link to make one with.
 */
async function bootstrap(
  home: Home,
  environment: NodeJS.ProcessEnv,
  url: string,
): Promise<{ organizationId: string; token: string; invitationUrl: string | undefined }> {
  return steps.run('Database', async () => {
    const kept = home.token();
    const words = ['dist/src/bootstrap.js', '--url', url, ...(kept ? [] : ['--new-token'])];
    const output = await runScript(words, environment);
    const made = JSON.parse(lastLines(output, 1)) as Record<string, string | undefined>;
    const { organization_id: organizationId, invitation_url: invitationUrl } = made;
    const token = made['token'] ?? kept;
    if (!organizationId || !token)
      throw new Error('dist/src/bootstrap.js answered neither organization nor token.');
    return { organizationId, token, invitationUrl };
  });
}

function runScript(args: string[], environment: NodeJS.ProcessEnv): Promise<string> {
  return runCommand(process.execPath, args, { cwd: root, env: environment, timeoutMs: 60_000 });
}

async function startServices(home: Home, env: NodeJS.ProcessEnv, server: OwnServer): Promise<void> {
  const scripts = { api: 'dist/src/main.js', worker: 'dist/worker/main.js' };
  for (const [name, script] of Object.entries(scripts)) {
    const service = startService(name, { script, env, cwd: root, logFile: home.path(`logs/${name}.log`) });
    services.push(service);
  }
  const isReady = async () => {
    const signal = AbortSignal.timeout(2_000);
    const answer = await server.fetch(`${server.url}/readyz`, { signal }).catch(() => undefined);
    await answer?.text();
    return answer?.status === 200 || undefined;
  };
  if (await orEnded(until(60_000, isReady))) return;
  throw new Error(`The API is not ready after a minute: see ${relative(root, home.path('logs/api.log'))}.`);
}

/** Waits for `work`, but not longer than the API and the worker live. */
function orEnded<T>(work: Promise<T>): Promise<T> {
  const ended = services.map(async (service) => {
    const how = await service.ended;
    const tail = lastLines(readIfThere(service.logFile) ?? '', 15);
    throw new Error(`${tail}\n\nThe ${service.name} ${how}: its log is ${relative(root, service.logFile)}.`);
  });
  return Promise.race([work, ...ended]);
}

function sayAddress(home: Home, url: string, invitationUrl: string | undefined): void {
  const at = (name: string) => relative(root, home.path(name));
  steps.say(`  Serving on  ${paint('cyan', url)}`);
  steps.say(`  Console     ${paint('cyan', `${url}/console/`)}`);
  if (invitationUrl !== undefined) {
    steps.say(`  Create your account with this link (good for 7 days, for one person):`);
    steps.say(`              ${paint('cyan', invitationUrl)}`);
  }
  steps.say(`  API token   in ${at('env')}`);
  steps.say(`  Logs        in ${at('logs')}`);
  steps.say();
  steps.say('  Trigger a run:');
  steps.say();
  steps.say(`. ${at('env')}`);
  steps.say('curl -X POST "$DAGCTL_URL/api/v1/projects/$PROJECT_ID/jobs/$JOB_ID/trigger" \\');
  steps.say('  -H "Authorization: Bearer $DAGCTL_TOKEN" -H "X-Organization-ID: $ORG_ID"');
  steps.say();
  steps.say(paint('dim', '  Ctrl-C stops it.'));
}

function sayProblem(error: unknown): void {
  const isExpected = error instanceof Error && error.constructor === Error;
  steps.say();
  steps.say(paint('red', isExpected ? error.message : String(error instanceof Error ? error.stack : error)));
}

/** Remembers to stop what is being started, even if Ctrl-C comes before it is up. */
function undoable<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  toUndo.push(async () => {
    const late = sleep(10_000, undefined, { ref: false });
    await (await Promise.race([starting.catch(() => undefined), late]))?.stop();
  });
  return starting;
}

/** Ends everything in the reverse order of its start. */
async function stop(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  if (services.length > 0) steps.say('Stopping ...');
  await Promise.all(services.map((service) => service.stop()));
  for (const undo of toUndo.toReversed()) {
    try {
      await undo();
    } catch (error) {
      sayProblem(error);
    }
  }
  end(exitCode);
}

function end(exitCode: number): never {
  for (const service of services) service.kill();
  // Whatever a step had started and not finished (a build, say) is in our process group.
  process.removeAllListeners('SIGTERM').on('SIGTERM', () => {});
  try {
    process.kill(-process.pid, 'SIGTERM');
  } catch {
    // Started by hand from a script: there is no group of our own.
  }
  process.exit(exitCode);
}
