import { spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rootCertificates } from 'node:tls';

const projectFolder = join(import.meta.dirname, '..', '..');
const runnerFolder = join(projectFolder, 'runner');
const stateFolder = join(projectFolder, '.dctl');
const logPath = join(stateFolder, 'logs', 'runner-image.log');
/** What the images are called, one for each type of project. */
const imageNames = { dbt: 'dctl-runner', sqlmesh: 'dctl-sqlmesh' } as const;
const lockPath = join(stateFolder, 'runner-image.lock');

/** A registry that has not answered by then is out of reach. */
const registryLimitMs = 20_000;
const buildLimitMs = 15 * 60_000;
const shortLimitMs = 20_000;

export interface RunnerImageOptions {
  /** The type of project whose runs execute in it: dbt unless given. */
  program?: keyof typeof imageNames;
  /** Called with one line of progress for a person to read. */
  log: (line: string) => void;
  signal?: AbortSignal;
  /** The image to build on, in place of the one in its `versions.json`. It must have Python 3.9 or later. */
  baseImage?: string;
}

/**
 * Returns the tag of the image that runs execute in, building it first where this machine does not have it.
 * The tag names the digest of everything the image is made of, so a change of any of it makes a new image.
 * @throws Error with one sentence to show to the person: the likely cause, and where the full output is.
 */
export async function ensureRunnerImage(options: RunnerImageOptions): Promise<string> {
  const { program = 'dbt' } = options;
  const inputs = await readInputs(program, options.baseImage);
  const tag = `${imageNames[program]}:${digestOf(inputs)}`;
  if (await imageExists(tag, options.signal)) return tag;

  await mkdir(join(stateFolder, 'logs'), { recursive: true });
  const release = await takeLock(options);
  try {
    if (await imageExists(tag, options.signal)) return tag;
    await writeFile(logPath, '');
    const base = await ensureBase(inputs, options);
    await build(program, tag, base, inputs, options);
    return tag;
  } finally {
    await release();
  }
}

/** Returns a Debian image with Python, git and certificates: the one that the runner's image is built on. */
export async function ensureBaseImage(options: RunnerImageOptions): Promise<string> {
  const inputs = await readInputs('dbt', options.baseImage);
  await mkdir(join(stateFolder, 'logs'), { recursive: true });
  const release = await takeLock(options);
  try {
    return await ensureBase(inputs, options);
  } finally {
    await release();
  }
}

interface Inputs {
  dockerfile: string;
  baseScript: string;
  base: string;
  certificates: string[];
}

interface DbtInputs extends Inputs {
  dbtVersion: string;
  adapters: string;
}

interface SqlmeshInputs extends Inputs {
  packages: string[];
}

const dockerfileFolder = (program: keyof typeof imageNames) =>
  program === 'dbt' ? runnerFolder : join(runnerFolder, program);

async function readInputs(
  program: keyof typeof imageNames,
  baseImage: string | undefined,
): Promise<DbtInputs | SqlmeshInputs> {
  const [dockerfile, baseScript, versionsText, certificates] = await Promise.all([
    readFile(join(dockerfileFolder(program), 'Dockerfile'), 'utf8'),
    readFile(join(runnerFolder, 'build-base.sh'), 'utf8'),
    readFile(join(dockerfileFolder(program), 'versions.json'), 'utf8'),
    hostCertificates(),
  ]);
  if (program === 'sqlmesh') {
    const { base, sqlmesh, extras, drivers } = JSON.parse(versionsText) as {
      base: string;
      sqlmesh: string;
      extras: string[];
      drivers: Record<string, string>;
    };
    const packages = [`sqlmesh[${extras.join(',')}]==${sqlmesh}`, ...pinned(drivers)];
    return { dockerfile, baseScript, base: baseImage ?? base, packages, certificates };
  }
  const versions = JSON.parse(versionsText) as {
    base: string;
    dbt_core: string;
    adapters: Record<string, string>;
  };
  return {
    dockerfile,
    baseScript,
    base: baseImage ?? versions.base,
    dbtVersion: versions.dbt_core,
    adapters: pinned(versions.adapters).join(' '),
    certificates,
  };
}

function pinned(packages: Record<string, string>): string[] {
  return Object.entries(packages).map(([name, version]) => `${name}==${version}`);
}

/** Certificates in PEM that this host trusts and the public root stores do not have, such as a company proxy's. */
export async function hostCertificates(): Promise<string[]> {
  const { SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = process.env;
  const paths = [SSL_CERT_FILE ?? '', NODE_EXTRA_CA_CERTS ?? '', '/etc/ssl/certs/ca-certificates.crt'];
  const seen = new Set(rootCertificates.map((pem) => new X509Certificate(pem).fingerprint256));
  const found = new Map<string, string>();
  for (const path of new Set(paths)) {
    const bundle = await readFile(path, 'utf8').catch(() => '');
    for (const [pem] of bundle.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)) {
      const fingerprint = fingerprintOf(pem);
      if (fingerprint === undefined || seen.has(fingerprint)) continue;
      seen.add(fingerprint);
      found.set(fingerprint, `${pem}\n`);
    }
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, pem]) => pem);
}

function fingerprintOf(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).fingerprint256;
  } catch {
    return undefined;
  }
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}

async function imageExists(tag: string, signal: AbortSignal | undefined): Promise<boolean> {
  const { code, output } = await run('docker', ['image', 'inspect', '--format', '{{.Id}}', tag], {
    limitMs: shortLimitMs,
    signal,
  });
  if (code === 0) return true;
  if (/no such image/i.test(output)) return false;
  throw new Error(`Docker cannot be asked for images: ${likelyCause(output)}.`);
}

/** Returns an image to build on: the wanted one, or where it cannot be pulled, one made of Debian's packages. */
async function ensureBase(inputs: Inputs, options: RunnerImageOptions): Promise<string> {
  const { log, signal } = options;
  if (await imageExists(inputs.base, signal)) return inputs.base;

  log(`pulling ${inputs.base}`);
  const pulling = { firstOutputLimitMs: registryLimitMs, limitMs: buildLimitMs, signal, logged: true };
  const pulled = await run('docker', ['pull', inputs.base], pulling);
  if (pulled.code === 0) return inputs.base;
  if (options.baseImage !== undefined) throw failed(`${inputs.base} could not be pulled`, pulled.output);

  const tag = `dctl-base:${digestOf(inputs.baseScript)}`;
  if (await imageExists(tag, signal)) return tag;

  log(`${inputs.base} cannot be pulled here`);
  await installDebootstrap(options);
  log("building the runner's base image from Debian packages (about a minute)");
  const script = join(runnerFolder, 'build-base.sh');
  const built = await run('sh', [script, tag], { limitMs: buildLimitMs, signal, logged: true });
  if (built.code !== 0) throw failed("The runner's base image could not be built", built.output);
  return tag;
}

async function installDebootstrap({ log, signal }: RunnerImageOptions): Promise<void> {
  const present = ['/usr/sbin/debootstrap', '/usr/share/keyrings/debian-archive-keyring.gpg'];
  const missing = await Promise.all(
    present.map((path) =>
      stat(path).then(
        () => false,
        () => true,
      ),
    ),
  );
  if (!missing.includes(true)) return;
  if (process.getuid?.() !== 0) return; // build-base.sh says what is missing

  log('installing debootstrap');
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  const step = { limitMs: buildLimitMs, signal, logged: true, environment };
  await run('apt-get', ['update', '-q'], step);
  const packages = ['debootstrap', 'debian-archive-keyring'];
  const installed = await run('apt-get', ['install', '-qy', '--no-install-recommends', ...packages], step);
  if (installed.code !== 0) throw failed('debootstrap could not be installed', installed.output);
}

async function build(
  program: keyof typeof imageNames,
  tag: string,
  base: string,
  inputs: DbtInputs | SqlmeshInputs,
  options: RunnerImageOptions,
): Promise<void> {
  const [what, versionArgs] =
    'packages' in inputs
      ? [inputs.packages[0], [`PACKAGES=${inputs.packages.join(' ')}`]]
      : [`dbt ${inputs.dbtVersion}`, [`DBT_VERSION=${inputs.dbtVersion}`, `ADAPTERS=${inputs.adapters}`]];
  options.log(`building the runner image with ${what} (about a minute)`);
  const context = await mkdtemp(join(tmpdir(), 'dctl-runner-'));
  try {
    await copyFile(join(dockerfileFolder(program), 'Dockerfile'), join(context, 'Dockerfile'));
    await mkdir(join(context, 'certs'));
    for (const [index, pem] of inputs.certificates.entries()) {
      await writeFile(join(context, 'certs', `${index}.crt`), pem);
    }
    const values = [`BASE_IMAGE=${base}`, ...versionArgs];
    // Docker knows these names, and keeps their values out of the image's history.
    const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
    const given = proxies.filter((name) => process.env[name] !== undefined);
    const buildArgs = [...values, ...given].flatMap((value) => ['--build-arg', value]);
    const built = await run('docker', ['build', '--tag', tag, ...buildArgs, context], {
      limitMs: buildLimitMs,
      signal: options.signal,
      logged: true,
    });
    if (built.code !== 0) throw failed('The runner image could not be built', built.output);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** Waits until no other process builds, then returns what lets the next one in. */
async function takeLock({ log, signal }: RunnerImageOptions): Promise<() => Promise<void>> {
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    const lock = await open(lockPath, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    if (lock !== undefined) {
      await lock.writeFile(String(process.pid));
      await lock.close();
      return releaseLock;
    }
    if (await isStale(lockPath)) {
      await rm(lockPath, { force: true });
      continue;
    }
    if (!told) log('waiting for another process that builds the runner image');
    told = true;
    await sleep(500, undefined, { signal });
  }
}

async function releaseLock(): Promise<void> {
  const owner = await readFile(lockPath, 'utf8').catch(() => '');
  if (owner === String(process.pid)) await rm(lockPath, { force: true });
}

async function isStale(path: string): Promise<boolean> {
  const [text, info] = await Promise.all([
    readFile(path, 'utf8').catch(() => ''),
    stat(path).catch(() => undefined),
  ]);
  if (info === undefined) return false;
  const ageMs = Date.now() - info.mtimeMs;
  if (text === '') return ageMs > 10_000; // its owner is between creating the file and writing to it, or died there
  return ageMs > 2 * buildLimitMs || !isRunning(Number(text));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

interface RunOptions {
  limitMs: number;
  firstOutputLimitMs?: number;
  signal: AbortSignal | undefined;
  /** Adds the output to the log file. */
  logged?: boolean;
  environment?: Record<string, string>;
}

interface Ended {
  /** Null when the command never started or was stopped. */
  code: number | null;
  /** Both streams, the last 16 KiB. */
  output: string;
}

/** Runs a command to its end, or stops it and all it started: at the limit, or by throwing when `signal` aborts. */
async function run(command: string, args: string[], options: RunOptions): Promise<Ended> {
  options.signal?.throwIfAborted();
  const logFile = options.logged === true ? createWriteStream(logPath, { flags: 'a' }) : undefined;
  logFile?.write(`$ ${command} ${args.join(' ')}\n`);
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
    detached: true, // a group of its own, so that all of it can be stopped
  });
  const stop = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
  };
  const stopLate = (): void => {
    keep('it took too long\n');
    stop();
  };
  const limit = setTimeout(stopLate, options.limitMs);
  const firstOutputLimit = setTimeout(stopLate, options.firstOutputLimitMs ?? options.limitMs);
  options.signal?.addEventListener('abort', stop);

  let output = '';
  const keep = (chunk: Buffer | string): void => {
    output = (output + String(chunk)).slice(-16_384);
    logFile?.write(chunk);
  };
  const hear = (chunk: Buffer): void => {
    clearTimeout(firstOutputLimit);
    keep(chunk);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  try {
    const code = await new Promise<number | null>((resolve) => {
      child.on('error', (error) => {
        keep(`${error.message}\n`);
        resolve(null);
      });
      child.on('close', resolve);
    });
    options.signal?.throwIfAborted();
    return { code, output };
  } finally {
    clearTimeout(limit);
    clearTimeout(firstOutputLimit);
    options.signal?.removeEventListener('abort', stop);
    logFile?.end();
  }
}

function failed(what: string, output: string): Error {
  return new Error(`${what}: ${likelyCause(output)}. The full output is in ${logPath}.`);
}

const causes: [RegExp, string][] = [
  [/no space left on device|disk is too full|disk quota exceeded/i, 'the disk is full'],
  [
    /cannot connect to the docker daemon|error during connect|is the docker daemon running/i,
    'Docker is not running',
  ],
  [/permission denied.*docker|docker\.sock.*permission denied/i, 'this user may not use Docker'],
  [/spawn docker ENOENT/, 'Docker is not installed'],
  [/certificate verify failed|unknown authority/i, 'a certificate on the way to the packages is not trusted'],
  [
    /name resolution|could not resolve|connection refused|network is unreachable|connection timed out|no such host|failed to establish a new connection|couldn't download/i,
    'what it needs cannot be reached over the network',
  ],
  [
    /no matching distribution found|could not find a version/i,
    'a version in its versions.json does not exist',
  ],
  [/it took too long/i, 'it took too long'],
];

function likelyCause(output: string): string {
  const known = causes.find(([pattern]) => pattern.test(output));
  if (known !== undefined) return known[1];
  const lastLine = output.trim().split('\n').at(-1) ?? '';
  return (
    lastLine
      .replace(/^build-base: /, '')
      .replace(/\.$/, '')
      .slice(0, 300) || 'it ended without a word'
  );
}
