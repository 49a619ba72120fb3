import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ensurePythonEnvironment, type PythonEnvironment } from '../../scripts/setup/python-environment.ts';

const root = join(import.meta.dirname, '..', '..');

/** Named for their lock files in `requirements/`. */
export type EnvironmentName = 'airflow2' | 'airflow3' | 'dbt-cloud-clients' | 'schemathesis';

/** The programs of others that are tried against the API, each as it comes from PyPI. */
export function ensureClientEnvironment(name: EnvironmentName): Promise<PythonEnvironment> {
  return ensurePythonEnvironment({
    home: join(root, '.dctl', 'clients'),
    name,
    lockFile: join(import.meta.dirname, 'requirements', `${name}.txt`),
  });
}

/**
 * What a client's process is to see: its own folder, and nothing of the machine's settings. `certificates`: the file
 * with the authority that signed the server's certificate; requests reads one variable, aiohttp and httpx the other.
 */
export function clientVariables(
  { bin }: PythonEnvironment,
  { home, certificates }: { home: string; certificates?: string },
): Record<string, string> {
  return {
    PATH: [bin, process.env['PATH'] ?? ''].join(delimiter),
    HOME: home,
    TMPDIR: home,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    PYTHONUNBUFFERED: '1',
    DO_NOT_TRACK: '1',
    ...(certificates === undefined ? {} : { REQUESTS_CA_BUNDLE: certificates, SSL_CERT_FILE: certificates }),
  };
}

export interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program of an environment (`python`, `dbtc`, `dbt-cloud`, ...) in a folder of its own, to its end, however that
 * comes. `input`: a script, for `['python', '-']`, or for `['bash', '-e']`, which finds those programs too.
 */
export async function runClient(
  name: EnvironmentName,
  [program, ...args]: [string, ...string[]],
  options: {
    input?: string;
    env?: Record<string, string>;
    certificates?: string;
    cwd?: string;
    timeoutMs?: number;
  } = {},
): Promise<Ended> {
  const { input, env = {}, certificates, timeoutMs = 100_000 } = options;
  const environment = await ensureClientEnvironment(name);
  const home = await mkdtemp(join(tmpdir(), `dctl-${name}-`));
  try {
    const given = certificates === undefined ? { home } : { home, certificates };
    return await runToEnd(program, args, {
      env: {
        ...clientVariables(environment, given),
        // Both keep a database of their own, and call home unless they are told not to.
        DAGSTER_HOME: home,
        DAGSTER_DISABLE_TELEMETRY: 'true',
        PREFECT_HOME: home,
        PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
        ...env,
      },
      cwd: options.cwd ?? home,
      timeoutMs,
      ...(input === undefined ? {} : { input }),
    });
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

export function runToEnd(
  program: string,
  args: string[],
  options: { env: Record<string, string>; cwd: string; timeoutMs: number; input?: string },
): Promise<Ended> {
  const { env, cwd, timeoutMs, input } = options;
  const child = spawn(program, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const heard = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (heard.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (heard.stderr += text));
  child.stdin.on('error', () => undefined); // It ended without reading.
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(
        new Error(
          `${program} ${args.join(' ')} did not end within ${timeoutMs} ms: ${heard.stdout}${heard.stderr}`,
        ),
      );
    }, timeoutMs);
    child.once('error', reject);
    child.once('close', (exitCode) => {
      clearTimeout(late);
      resolve({ exitCode, ...heard });
    });
  });
}
