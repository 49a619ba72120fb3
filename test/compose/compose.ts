import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/setup/port.ts';
import { runCommand } from '../../scripts/setup/processes.ts';
import { imageOrStandIn, proxyArguments, writeCertificates } from './stand-ins.ts';

const root = process.cwd();
const limitMs = 10 * 60_000;

/** dctl as docker-compose.yml starts it, from a copy of this folder as a fresh clone has it. */
export interface ComposedSystem {
  url: string;
  /** Runs docker compose with these arguments on it; returns what it printed. */
  compose(...args: string[]): Promise<string>;
  /** `docker inspect` of a service's container, running or not. */
  inspect(service: string): Promise<any>; // eslint-disable-line -- tests read what comes
  close(): Promise<void>;
}

export async function startComposed(): Promise<ComposedSystem> {
  const [program, ...before] = ensureCompose();
  const folder = await copyOfClone();
  const port = await freePort();
  const name = `dctl-test-${randomBytes(4).toString('hex')}`;
  const environment = {
    ...process.env,
    DCTL_PORT: String(port),
    NODE_IMAGE: await imageOrStandIn('node:24-bookworm-slim', 'node'),
    NPM_CONFIG_REGISTRY: (await runCommand('npm', ['config', 'get', 'registry'])).trim(),
  };
  await writeFile(join(folder, 'stand-ins.yml'), JSON.stringify(await standIns()));
  const files = ['docker-compose.yml', 'stand-ins.yml'].flatMap((file) => ['--file', join(folder, file)]);
  const compose = (...args: string[]) =>
    runCommand(program, [...before, '--project-name', name, ...files, ...args], {
      env: environment,
      timeoutMs: limitMs,
    });
  const close = async () => {
    await compose('down', '--volumes', '--timeout', '5').catch(() => '');
    await rm(folder, { recursive: true, force: true });
  };

  try {
    await runCommand('sh', [join(folder, 'scripts', 'setup', 'write-env.sh')]);
    await compose('build', ...proxyArguments(), 'api', 'worker');
    await compose('up', '--detach', '--no-build');
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    compose,
    async inspect(service) {
      const id = (await runCommand('docker', ['ps', '--all', '--quiet', ...labelled(name, service)])).trim();
      return JSON.parse(await runCommand('docker', ['inspect', id]))[0];
    },
    close,
  };
}

/** What takes the place of images that this machine may not be able to pull, or that the tests have made before. */
async function standIns() {
  // A tag for each clone: two that test at once build different code.
  const clone = createHash('sha256').update(root).digest('hex').slice(0, 8);
  const runner = process.env['DCTL_TEST_RUNNER_IMAGE'];
  const own = { pull_policy: 'never' };
  return {
    services: {
      api: { ...own, image: `dctl-api:test-${clone}` },
      worker: { ...own, image: `dctl-worker:test-${clone}`, environment: { DCTL_RUNNER_IMAGE: runner } },
      'runner-image': { ...own, image: runner },
      postgres: { image: await imageOrStandIn('postgres:18', 'services') },
      redis: { image: await imageOrStandIn('redis:7', 'services') },
    },
  };
}

/** What git has of this folder and the images are made of, with the certificates that this host trusts. */
async function copyOfClone(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-compose-'));
  const ignore = await readFile(join(root, '.dockerignore'), 'utf8');
  const sent = [...ignore.matchAll(/^!(.+)$/gm)].map(([, name = '']) => name);
  for (const name of sent) {
    await cp(join(root, name), join(folder, name), {
      recursive: true,
      filter: (path) => !path.includes('/src/generated') && !path.endsWith('.crt'),
    });
  }
  for (const name of ['Dockerfile', '.dockerignore', 'docker-compose.yml', '.env.example'])
    await copyFile(join(root, name), join(folder, name));
  const script = join('scripts', 'setup', 'write-env.sh');
  await cp(join(root, script), join(folder, script));
  await writeCertificates(join(folder, 'certs'));
  return folder;
}

/** The command for docker compose. Debian and Ubuntu, as root: installs it where it is missing. */
export function ensureCompose(): [string, ...string[]] {
  const found = composeCommand();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [
      ['update', '-q'],
      ['install', '-q', '-y', '--no-install-recommends', 'docker-compose'],
    ])
      spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
        env,
        stdio: 'ignore',
        timeout: limitMs,
      });
  }
  const installed = composeCommand();
  if (installed === undefined) throw new Error('Install docker compose: these tests start dctl with it.');
  return installed;
}

function composeCommand(): [string, ...string[]] | undefined {
  if (spawnSync('docker', ['compose', 'version']).status === 0) return ['docker', 'compose'];
  if (spawnSync('docker-compose', ['version']).status === 0) return ['docker-compose'];
  return undefined;
}

function labelled(project: string, service: string): string[] {
  return [`com.docker.compose.project=${project}`, `com.docker.compose.service=${service}`].flatMap(
    (label) => ['--filter', `label=${label}`],
  );
}
