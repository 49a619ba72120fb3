import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../scripts/setup/processes.ts';
import type { Bench } from '../system.ts';

/** How a program of another tool is started: in a group of its own, because it starts others. */
export function startProgram(
  bench: Bench,
  name: string,
  command: string[],
  options: { env: NodeJS.ProcessEnv; cwd: string },
): void {
  const log = openSync(join(bench.logFolder, `${name}.log`), 'a', 0o600);
  const [program = '', ...args] = command;
  const child = spawn(program, args, { ...options, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  let hasEnded = false;
  for (const event of ['exit', 'error']) child.once(event, () => (hasEnded = true));
  bench.atEnd(async () => {
    signalGroup(child.pid, 'SIGTERM');
    await until(10_000, async () => hasEnded || undefined);
    signalGroup(child.pid, 'SIGKILL');
  });
}

/** Calls an API until it answers with what is waited for. */
export async function awaitAnswer<T>(
  what: string,
  url: string,
  isRight: (answer: T) => boolean,
  { timeoutMs, everyMs, headers }: { timeoutMs: number; everyMs: number; headers?: Record<string, string> },
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask<T>(url, { headers: headers ?? {} }).catch(() => undefined);
    if (answer !== undefined && isRight(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1_000} s`);
    await sleep(everyMs);
  }
}

/** GET, or POST where there is a body. */
export async function ask<T>(
  url: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: unknown } = {},
): Promise<T> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
