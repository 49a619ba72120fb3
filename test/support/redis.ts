import { Redis } from 'ioredis';
import { startRedisServer } from '../../scripts/setup/redis-server.ts';

export interface RedisServer {
  url: string;
  client: Redis;
  /** Starts it again at the same address, empty unless it keeps something on disk, and waits until it answers. */
  start(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  close(): Promise<void>;
}

/** A Redis of the test's own that keeps nothing on disk. `more`: settings of redis.conf. */
export async function startRedis(more: Record<string, string | number> = {}): Promise<RedisServer> {
  const { url, port, start, kill, signal } = await startRedisServer(more);
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => 100, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  await client.connect();
  return {
    url,
    client,
    start,
    kill,
    signal,
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
