import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { ensurePackage } from './debian-package.ts';
import { freePort } from './port.ts';
import { until } from './processes.ts';

export interface RedisProcess {
  url: string;
  port: number;
  /** Starts it again at the same address, with what it kept on disk, and waits until it answers. */
  start(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

/**
 * A Redis of our own. Installs `redis-server` where it is missing. It keeps nothing on disk unless `settings`, those of
 * redis.conf, say otherwise.
 */
export async function startRedisServer(
  settings: Record<string, string | number> = {},
): Promise<RedisProcess> {
  ensurePackage('redis-server', isInstalled);
  const port = await freePort();
  const all = {
    port,
    bind: '127.0.0.1',
    save: '',
    appendonly: 'no',
    'maxmemory-policy': 'noeviction',
    ...settings,
  };
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
  let server: ChildProcess | undefined;

  const start = async () => {
    const started = spawn('redis-server', args, { stdio: 'ignore' });
    server = started;
    const answered = await until(30_000, async () => {
      if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`);
      return spawnSync('redis-cli', ['-p', String(port), 'ping']).status === 0 || undefined;
    });
    if (answered === undefined) throw new Error('redis-server does not answer');
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    start,
    async kill() {
      if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
      const gone = once(server, 'exit');
      server.kill('SIGKILL');
      await gone;
    },
    signal: (signal) => void server?.kill(signal),
  };
}

function isInstalled(): boolean {
  return (
    spawnSync('redis-server', ['--version']).status === 0 &&
    spawnSync('redis-cli', ['--version']).status === 0
  );
}
