import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { delimiter, dirname, join } from 'node:path';
import { commandOf, lastLines, readIfThere, runCommand, until } from './processes.ts';

const socket = '/var/run/docker.sock';
const pidFile = '/var/run/docker.pid';
const policyFile = '/usr/sbin/policy-rc.d';
const searchPath = `${process.env['PATH']}${delimiter}/usr/local/sbin:/usr/sbin:/sbin`;

export interface DockerOptions {
  log: (line: string) => void;
  /** What an engine started here writes goes to this file. */
  logFile?: string;
}

export interface Docker {
  /** What was found or done, for the reader. */
  summary: string;
  stop(): Promise<void>;
}

/**
 * Makes sure of a Docker engine: the one that DOCKER_HOST or the usual socket leads to, else one started here,
 * else (Debian and Ubuntu, as root) one installed from the distribution's packages.
 *
 * `stop` ends an engine only if it was started here and no container runs on it: an engine belongs to the whole
 * machine, and somebody else may have come to use it. Runs still going keep it too, and the next start finds them.
 */
export async function ensureDocker({
  log,
  logFile = '.dctl/logs/dockerd.log',
}: DockerOptions): Promise<Docker> {
  const host = process.env['DOCKER_HOST'];
  const problem = await ping();
  if (problem === undefined) return { summary: host ?? 'running', stop: async () => {} };
  if (host) {
    throw new Error(
      `DOCKER_HOST is ${host}, but no Docker engine answers there (${problem}): start it, or unset DOCKER_HOST.`,
    );
  }
  if (problem === 'EACCES') {
    throw new Error(
      `You may not use ${socket}: run "sudo usermod -aG docker $USER", log in again and start again.`,
    );
  }
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error(
      'No Docker engine answers: install and start Docker (https://docs.docker.com/get-docker), then start again.',
    );
  }

  if (!isOnPath('dockerd')) await installEngine(log);
  return startEngine(log, logFile);
}

/** The reason why the engine does not answer; undefined when it does. */
async function ping(): Promise<string | undefined> {
  const answer = await ask('/_ping').catch((error: NodeJS.ErrnoException) => error);
  if (answer instanceof Error) return answer.code ?? answer.message;
  return answer.status === 200 ? undefined : `status ${answer.status}`;
}

function ask(path: string): Promise<{ status: number; body: string }> {
  const host = process.env['DOCKER_HOST'] || `unix://${socket}`;
  if (/^(ssh|npipe|fd):/.test(host))
    return Promise.reject(new Error('only unix:// and tcp:// addresses are supported'));
  const certificates = process.env['DOCKER_CERT_PATH'];
  const isTls =
    !host.startsWith('unix:') && (Boolean(process.env['DOCKER_TLS_VERIFY']) || host.startsWith('https:'));
  const options: RequestOptions = { path, signal: AbortSignal.timeout(2_000), headers: { host: 'docker' } };
  if (host.startsWith('unix:')) {
    options.socketPath = host.slice('unix://'.length);
  } else {
    const url = new URL(host.replace(/^\w+:/, 'http:'));
    Object.assign(options, { hostname: url.hostname, port: url.port || (isTls ? 2376 : 2375) });
  }
  if (isTls && certificates) {
    const read = (name: string) => readFileSync(join(certificates, name));
    Object.assign(options, { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') });
  }
  return new Promise((resolve, reject) => {
    const call = (isTls ? httpsRequest : httpRequest)(options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}

async function installEngine(log: (line: string) => void): Promise<void> {
  if (!isOnPath('apt-get')) {
    throw new Error(
      'No Docker engine answers and this is not Debian or Ubuntu: install Docker (https://docs.docker.com/engine/install), then start again.',
    );
  }
  // In its own group: Ctrl-C must not stop dpkg half-way.
  const env = { ...process.env, PATH: searchPath, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { env, detached: true, timeoutMs: 600_000, onLine: log };
  const allowServices = forbidServices();
  try {
    log('installing docker.io');
    await runCommand('apt-get', ['update', '-q'], options);
    const packages = ['docker.io', 'iptables', 'ca-certificates'];
    await runCommand('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], options);
  } catch (error) {
    const sentence =
      'Docker could not be installed with apt-get: install it (https://docs.docker.com/engine/install), then start again.';
    throw new Error(`${sentence}\n${error instanceof Error ? error.message : ''}`, { cause: error });
  } finally {
    allowServices();
  }
}

/**
 * Where no systemd runs (a container), a package's attempt to start its service fails or starts an engine that
 * nobody watches; the machine's policy file, if it has none, says no for the time being. With systemd the
 * package does what it always does, and Docker comes up again after a reboot.
 */
function forbidServices(): () => void {
  if (hasSystemd() || existsSync(policyFile)) return () => {};
  writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => rmSync(policyFile, { force: true });
}

async function startEngine(log: (line: string) => void, logFile: string): Promise<Docker> {
  if (hasSystemd()) {
    log('starting the docker service');
    const started = await runCommand('systemctl', ['start', 'docker'], { timeoutMs: 60_000 }).then(
      () => true,
      () => false,
    );
    if (started && (await isUp(30_000)))
      return { summary: 'started the docker service', stop: async () => {} };
  }

  log('starting dockerd');
  await clearStalePid();
  mkdirSync(dirname(logFile), { recursive: true });
  const output = openSync(logFile, 'w', 0o600);
  const engine = spawn('dockerd', [], {
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, PATH: searchPath },
  });
  closeSync(output);
  engine.unref();
  let hasEnded = false;
  for (const event of ['exit', 'error']) engine.once(event, () => (hasEnded = true));

  if (!(await isUp(60_000, () => hasEnded))) {
    engine.kill('SIGTERM');
    const reason = lastLines(readIfThere(logFile) ?? '', 1);
    throw new Error(
      `dockerd does not start (${reason}): see ${logFile}, or start Docker yourself and try again.`,
    );
  }
  await keepFromMetadata(log);
  return {
    summary: `started dockerd (process ${engine.pid})`,
    async stop() {
      if (hasEnded || (await countContainers()) !== 0) return;
      engine.kill('SIGTERM');
      await until(15_000, async () => hasEnded || undefined);
    },
  };
}

async function isUp(timeoutMs: number, hasEnded = () => false): Promise<boolean> {
  const answer = await until(timeoutMs, async () => {
    if ((await ping()) === undefined) return true;
    return hasEnded() ? false : undefined;
  });
  return answer ?? false;
}

/** dockerd believes its pid file whenever any process has that number, as often happens after a crash. */
async function clearStalePid(): Promise<void> {
  const pid = Number(readIfThere(pidFile));
  if (!pid || (await commandOf(pid))?.includes('dockerd')) return;
  rmSync(pidFile, { force: true });
}

/** Runs must not reach the cloud's metadata service, which hands credentials to whoever asks. */
async function keepFromMetadata(log: (line: string) => void): Promise<void> {
  const rule = ['DOCKER-USER', '-d', '169.254.0.0/16', '-j', 'DROP'];
  const options = { env: { ...process.env, PATH: searchPath }, timeoutMs: 10_000 };
  try {
    await runCommand('iptables', ['-C', ...rule], options).catch(() =>
      runCommand('iptables', ['-I', ...rule], options),
    );
  } catch {
    log('containers could not be kept from 169.254.0.0/16 (iptables refused)');
  }
}

async function countContainers(): Promise<number | undefined> {
  const answer = await ask('/containers/json').catch(() => undefined);
  return answer?.status === 200 ? (JSON.parse(answer.body) as unknown[]).length : undefined;
}

function hasSystemd(): boolean {
  return existsSync('/run/systemd/system');
}

function isOnPath(program: string): boolean {
  return searchPath.split(delimiter).some((folder) => existsSync(join(folder, program)));
}
