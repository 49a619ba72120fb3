import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { until } from './until.ts';

const policyFile = '/usr/sbin/policy-rc.d';

export interface RedisServer {
  url: string;
  client: Redis;
  /** Starts it again at the same address, empty, and waits until it answers. */
  start(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A Redis of the test's own that keeps nothing on disk. Installs `redis-server` where it is missing. `more`: settings of
 * redis.conf.
 */
export async function startRedis(more: Record<string, string | number> = {}): Promise<RedisServer> {
  ensureRedisServer();
  const port = await freePort();
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => 100, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  let server: ChildProcess | undefined;

  const start = async () => {
    const settings = {
      port,
      bind: '127.0.0.1',
      save: '',
      appendonly: 'no',
      'maxmemory-policy': 'noeviction',
      ...more,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    server = spawn('redis-server', args, { stdio: 'ignore' });
    const started = server;
    await until(
      'redis-server answers',
      () => spawnSync('redis-cli', ['-p', String(port), 'ping']).status,
      (status) => {
        if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`);
        return status === 0;
      },
    );
  };
  const kill = async () => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  };

  await start();
  await client.connect();
  return {
    url: `redis://127.0.0.1:${port}`,
    client,
    start,
    kill,
    async close() {
      client.disconnect();
      await kill();
    },
  };
}

/** Far more than the tests start systems in one go: each has a database of its own, so none hears another's messages. */
export const sharedDatabases = 4_000;

/** A database of the Redis that all tests share, when they are to run with the queue in Redis (DCTL_TEST_QUEUE). */
export async function takeRedisDatabase(): Promise<{ url: string; drop(): Promise<void> } | undefined> {
  const shared = process.env['DCTL_TEST_REDIS_URL'];
  if (shared === undefined) return undefined;
  const number = await onRedis(shared, (client) => client.incr('systems'));
  const url = `${shared}/${number}`;
  return { url, drop: () => onRedis(url, async (client) => void (await client.flushdb())) };
}

export async function onRedis<T>(url: string, ask: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  try {
    return await ask(client);
  } finally {
    client.disconnect();
  }
}

/** Every key with its whole value, as text. */
export async function dumpRedis(client: Redis): Promise<Record<string, string>> {
  const dump: Record<string, string> = {};
  for (const key of await client.keys('*')) dump[key] = JSON.stringify(await valueOf(client, key));
  return dump;
}

async function valueOf(client: Redis, key: string): Promise<unknown> {
  const type = await client.type(key);
  switch (type) {
    case 'string':
      return client.get(key);
    case 'hash':
      return client.hgetall(key);
    case 'list':
      return client.lrange(key, '0', '-1');
    case 'set':
      return client.smembers(key);
    case 'zset':
      return client.zrange(key, '0', '-1');
    case 'stream':
      return client.xrange(key, '-', '+');
    case 'none':
      return null;
    default:
      throw new Error(`${key} is a ${type}, which nobody reads here`);
  }
}

/** Debian and Ubuntu, as root; elsewhere it says what to install. No service of the machine is started by it. */
function ensureRedisServer(): void {
  if (isInstalled()) return;
  if (process.getuid?.() !== 0) throw new Error('Install redis-server: these tests start one of their own.');
  const hasPolicy = existsSync(policyFile);
  if (!hasPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    aptGet('update', '-q');
    aptGet('install', '-q', '-y', '--no-install-recommends', 'redis-server');
  } finally {
    if (!hasPolicy) rmSync(policyFile, { force: true });
  }
  if (!isInstalled())
    throw new Error('redis-server could not be installed with apt-get: install it, then test again.');
}

function isInstalled(): boolean {
  return (
    spawnSync('redis-server', ['--version']).status === 0 &&
    spawnSync('redis-cli', ['--version']).status === 0
  );
}

function aptGet(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
    env,
    stdio: 'ignore',
    timeout: 300_000,
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
