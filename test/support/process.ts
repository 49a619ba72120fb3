import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { keptModules, nodeEnvironment, nodeFlags } from '../../scripts/setup/processes.ts';

/** A process of ours whose JSON log lines are kept. */
export interface TestProcess {
  child: ChildProcess;
  pid: number;
  lines: Record<string, unknown>[];
  /** The first line with this message, past or to come. Throws when the process ends before. */
  said(message: string): Promise<Record<string, unknown>>;
  /** Resolves with the exit code once it has ended. */
  signal(signal: NodeJS.Signals): void;
  ended: Promise<number | null>;
}

/** `within`: a command that is to execute Node, with its arguments. */
export function startProcess(
  file: string,
  environment: Record<string, string>,
  { args = [], within = [] }: { args?: string[]; within?: string[] } = {},
): TestProcess {
  const [program, ...rest] = [...within, process.execPath, ...nodeFlags, file, ...args] as [string];
  const child = spawn(program, rest, {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...dockerHost(),
      ...nodeEnvironment,
      ...keptModules(process.cwd()),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Record<string, unknown>[] = [];
  let complaints = '';
  const reading = createInterface({ input: child.stdout });
  const waiting: {
    message: string;
    resolve: (line: Record<string, unknown>) => void;
    reject: (error: Error) => void;
  }[] = [];
  reading.on('line', (text) => {
    const line = parse(text);
    lines.push(line);
    for (const each of waiting.filter(({ message }) => message === line['msg'])) each.resolve(line);
  });
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => {
    for (const { message, reject } of waiting)
      reject(new Error(`${file} ended before it said "${message}": ${complaints}`));
    // One that crashed in the middle of a test is seen there as a connection that broke.
    if (code !== null && code !== 0) process.stderr.write(`${file} ended with ${code}: ${complaints}\n`);
    return code as number | null;
  });

  return {
    child,
    pid: child.pid!,
    lines,
    said: (message) =>
      new Promise((resolve, reject) => {
        const line = lines.find((each) => each['msg'] === message);
        if (line !== undefined) resolve(line);
        else if (child.exitCode !== null)
          reject(new Error(`${file} ended with ${child.exitCode}: ${complaints}`));
        else waiting.push({ message, resolve, reject });
      }),
    signal: (signal) => void child.kill(signal),
    ended,
  };
}

function dockerHost(): Record<string, string> {
  const given = process.env['DOCKER_HOST'];
  return given === undefined ? {} : { DOCKER_HOST: given };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { msg: text };
  }
}
