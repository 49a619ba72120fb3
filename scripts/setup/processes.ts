import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * For the API and the worker. Their garbage is short-lived and comes in floods (a run's log): a small young generation
 * is swept more often, and 50 MB of log make a worker grow by 6 MB in place of 28.
 */
export const nodeFlags = ['--max-semi-space-size=4'];

/**
 * Likewise. Name look-ups share Node's threads and may take half of them: with the usual four, two webhook hosts whose
 * name servers are silent would hold up every other webhook. Must be there before the process starts: BullMQ uses a
 * thread while it is imported, and their number is settled by the first use.
 */
export const nodeEnvironment = { UV_THREADPOOL_SIZE: '256' };

/** Likewise, for what is started in a checkout: what Node made of the modules is kept there, so the next start costs less. */
export const keptModules = (checkout: string) => ({
  NODE_COMPILE_CACHE: join(checkout, '.dctl', 'compile-cache'),
});

const maxLogBytes = 20 * 1024 * 1024;

export interface Service {
  name: string;
  pid: number | undefined;
  logFile: string;
  /** Resolves when the process is gone, with a sentence about how it ended. Never rejects. */
  ended: Promise<string>;
  /** SIGTERM, then SIGKILL after ten seconds. */
  stop(): Promise<void>;
  kill(): void;
}

/** Starts one of dctl's own processes, its output appended to `logFile`. It ends when this process does. */
export function startService(
  name: string,
  options: { script: string; env: NodeJS.ProcessEnv; cwd: string; logFile: string },
): Service {
  if (sizeOf(options.logFile) > maxLogBytes) renameSync(options.logFile, `${options.logFile}.1`);
  const log = openSync(options.logFile, 'a', 0o600);
  const endWithParent = new URL('./end-with-parent.mjs', import.meta.url).href;
  const child = spawn(process.execPath, [...nodeFlags, '--import', endWithParent, options.script], {
    cwd: options.cwd,
    env: { ...nodeEnvironment, ...keptModules(options.cwd), ...options.env },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);

  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
    );
  });
  return {
    name,
    pid: child.pid,
    logFile: options.logFile,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(late);
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

export interface CommandOptions extends Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid' | 'detached'> {
  input?: string;
  timeoutMs?: number;
  onLine?: (line: string) => void;
}

/** Runs a command to its end. Throws an Error with the last lines it wrote when it does not end well. */
export async function runCommand(
  program: string,
  args: string[],
  options: CommandOptions = {},
): Promise<string> {
  const { input, timeoutMs, onLine, ...spawnOptions } = options;
  const child = spawn(program, args, { ...spawnOptions, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let everything = '';
  const hear = (chunk: Buffer) => {
    everything += chunk.toString();
    const last = chunk.toString().trimEnd().split('\n').at(-1)?.trim();
    if (last) onLine?.(last);
  };
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    hear(chunk);
  });
  child.stderr.on('data', hear);
  child.stdin.on('error', () => {}); // It ended without reading its input: how it ended is what counts.
  child.stdin.end(input);

  const late = timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const ending = await endOf(child);
  clearTimeout(late);
  if (ending === 'exit code 0') return output;
  throw new Error(`${program} ${args[0] ?? ''} failed (${ending}): ${lastLines(everything, 5)}`);
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

/** The command line of a living process; undefined when there is none with this number. */
export async function commandOf(pid: number): Promise<string | undefined> {
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  if (!existsSync('/proc/self'))
    return runCommand('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => undefined);
  return readIfThere(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim();
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Asks until `probe` answers something other than undefined; undefined itself when the time is over. */
export async function until<T>(
  timeoutMs: number,
  probe: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined || Date.now() > deadline) return answer;
    await sleep(100);
  }
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

export function lastLines(text: string, count: number): string {
  return text.trim().split('\n').slice(-count).join('\n');
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
