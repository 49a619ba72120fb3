import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, runCommand } from './processes.ts';

const uvVersion = '0.13.9';
const limitMs = 10 * 60_000;

export interface PythonEnvironment {
  /** The folder of its programs. */
  bin: string;
  python: string;
  /** Tells environments with other packages apart. */
  digest: string;
}

/**
 * Makes sure of a Python environment with exactly the packages of a lock file, from PyPI or the index that pip is
 * configured for. It stays in `home` for the next time, under the digest of its lock: built under another name and
 * renamed when it is whole, so that one that was interrupted is never taken for one that works, and of two that are
 * built at the same time one stays.
 */
export async function ensurePythonEnvironment(options: {
  home: string;
  name: string;
  lockFile: string;
  python?: string;
}): Promise<PythonEnvironment> {
  const { home, name, lockFile, python = '3.11' } = options;
  const digest = createHash('sha256')
    .update(python)
    .update(readFileSync(lockFile))
    .digest('hex')
    .slice(0, 12);
  const folder = join(home, `${name}-${digest}`);
  await buildOnce(folder, async (unfinished) => {
    const uv = await ensureUv(home);
    const index = await indexOptions(home);
    const env = installerEnvironment();
    // Relocatable: its programs find their Python after the folder is renamed.
    await runCommand(uv, ['venv', '--quiet', '--relocatable', '--python', python, unfinished], {
      env,
      timeoutMs: limitMs,
    });
    const into = ['--python', join(unfinished, 'bin', 'python')];
    await runCommand(uv, ['pip', 'install', '--quiet', '--no-deps', ...index, ...into, '-r', lockFile], {
      env,
      timeoutMs: limitMs,
    });
    await runCommand(uv, ['pip', 'check', '--quiet', ...into], { env, timeoutMs: limitMs });
  });
  return { bin: join(folder, 'bin'), python: join(folder, 'bin', 'python'), digest };
}

/** An installer that does in seconds what takes pip minutes. */
export async function ensureUv(home: string): Promise<string> {
  const folder = join(home, `uv-${uvVersion}`);
  await buildOnce(folder, async (unfinished) => {
    const env = installerEnvironment();
    await runCommand('python3', ['-m', 'venv', unfinished], { env, timeoutMs: limitMs });
    const pip = [join(unfinished, 'bin', 'python'), '-m', 'pip'] as const;
    await runCommand(pip[0], [...pip.slice(1), 'install', '--quiet', `uv==${uvVersion}`], {
      env,
      timeoutMs: limitMs,
    });
  });
  return join(folder, 'bin', 'uv');
}

const underWay = new Map<string, Promise<void>>();

/** In this process only once at a time; of two processes, one's is left. */
function buildOnce(folder: string, build: (unfinished: string) => Promise<void>): Promise<void> {
  const begun = underWay.get(folder) ?? buildUnlessThere(folder, build);
  underWay.set(folder, begun);
  return begun.finally(() => underWay.delete(folder));
}

async function buildUnlessThere(folder: string, build: (unfinished: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  mkdirSync(join(folder, '..'), { recursive: true });
  removeAbandoned(folder);
  const unfinished = `${folder}.${process.pid}`;
  try {
    await build(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (existsSync(folder)) return; // Somebody else was quicker.
    const reason = error instanceof Error ? error.message : 'no reason given';
    throw new Error(
      `${folder} could not be installed, which takes python3 with venv, Python 3.11 and PyPI: ${reason}`,
      { cause: error },
    );
  }
}

/** What a process that was killed had begun. */
function removeAbandoned(folder: string): void {
  const home = join(folder, '..');
  for (const name of readdirSync(home)) {
    const [, pid] = /\.(\d+)$/.exec(name) ?? [];
    if (join(home, name) === `${folder}.${pid}` && !isAlive(Number(pid)))
      rmSync(join(home, name), { recursive: true, force: true });
  }
}

/** uv reads neither pip's variables nor its files: where pip would look for packages, as options for uv. */
async function indexOptions(home: string): Promise<string[]> {
  const python = join(home, `uv-${uvVersion}`, 'bin', 'python');
  const settings = await runCommand(python, ['-m', 'pip', 'config', 'list'], { timeoutMs: 60_000 });
  const given = new Map(
    [...settings.matchAll(/^[\w:]+\.([\w-]+)='(.*)'$/gm)].map(([, key = '', value = '']) => [key, value]),
  );
  const words = (key: string) =>
    given
      .get(key)
      ?.split(/\s+|\\n/)
      .filter((word) => word !== '') ?? [];
  return [
    ...words('index-url').flatMap((url) => ['--default-index', url]),
    ...words('extra-index-url').flatMap((url) => ['--index', url]),
    ...words('trusted-host').flatMap((host) => ['--allow-insecure-host', host]),
    ...words('find-links').flatMap((place) => ['--find-links', place]),
  ];
}

/** uv knows one variable for certificates; pip and its library know two more. */
function installerEnvironment(): NodeJS.ProcessEnv {
  const { SSL_CERT_FILE: given, PIP_CERT, REQUESTS_CA_BUNDLE } = process.env;
  const certificates = given ?? PIP_CERT ?? REQUESTS_CA_BUNDLE;
  return { ...process.env, ...(certificates ? { SSL_CERT_FILE: certificates } : {}) };
}
