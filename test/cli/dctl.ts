import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { System } from '../support/system.ts';

const program = join(process.cwd(), 'cli', 'dctl.mjs');

/** What a command line came to. */
export interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** stdout as JSON; undefined where it is none. */
  json: any; // eslint-disable-line -- tests read what comes
}

/** Somebody with a home of their own, who writes command lines. */
export interface Person {
  home: string;
  environment: Record<string, string>;
  /** Runs the built command. Whatever is no option and has spaces is one word all the same. */
  dctl(args: string[], how?: How): Promise<Ended>;
  /** Starts it, for tests that do something meanwhile. */
  start(args: string[], how?: How): Started;
  leave(): Promise<void>;
}

interface How {
  input?: string | Buffer;
  folder?: string;
  environment?: Record<string, string>;
  /** In a terminal of so many columns, which shows stdout and stderr alike: all of it is stdout. */
  terminal?: number;
}

export interface Started {
  /** Resolves once stdout and stderr so far hold this. Throws when it ends before. */
  said(what: string | RegExp): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** As if typed. */
  type(keys: string): void;
  ended: Promise<Ended>;
}

/** `system`: the server that the environment names; undefined: none. */
export async function newPerson(system?: System): Promise<Person> {
  const home = await mkdtemp(join(tmpdir(), 'dctl-cli-'));
  const environment: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    ...(system === undefined ? {} : { DCTL_URL: system.url, DCTL_TOKEN: system.token }),
  };

  const start = (args: string[], how: How = {}): Started => {
    const file = process.execPath;
    const words = [program, ...args];
    const inTerminal = ['-qefc', `stty cols ${how.terminal}; exec ${[file, ...words].map(quoted).join(' ')}`];
    const [started, startedWith] =
      how.terminal === undefined ? [file, words] : ['script', [...inTerminal, '/dev/null']];
    const child = spawn(started, startedWith, {
      cwd: how.folder ?? home,
      env: { ...environment, ...how.environment, TERM: 'xterm-256color' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => undefined);
    if (how.terminal === undefined) child.stdin.end(how.input ?? '');
    let heard = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
      ([stdout, stderr, [exitCode]]) => ({
        exitCode: exitCode as number | null,
        stdout,
        stderr,
        json: parsed(stdout),
      }),
    );
    return {
      said: (what) =>
        new Promise((resolve, reject) => {
          const look = () => {
            if (typeof what === 'string' ? heard.includes(what) : what.test(heard)) resolve();
          };
          for (const stream of [child.stdout, child.stderr]) stream.on('data', look);
          child.on('close', () => {
            look();
            reject(new Error(`it ended before it said ${what}: ${heard}`));
          });
          look();
        }),
      signal: (signal) => void child.kill(signal),
      type: (keys) => void child.stdin.write(keys),
      ended,
    };
  };

  return {
    home,
    environment,
    start,
    dctl: (args, how) => start(args, how).ended,
    leave: () => rm(home, { recursive: true, force: true }),
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function parsed(given: string): unknown {
  try {
    return JSON.parse(given) as unknown;
  } catch {
    return undefined;
  }
}
