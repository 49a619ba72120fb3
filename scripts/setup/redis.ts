import { Redis } from 'ioredis';

/** Throws one sentence when no Redis answers at `url`. */
export async function checkRedis(url: string): Promise<void> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason = '';
  client.on('error', (error: Error) => (reason = error.message));
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    const why = reason || (error instanceof Error ? error.message : 'no answer');
    throw new Error(
      `No Redis answers at REDIS_URL (${why}): correct it, or unset it to keep the queue in Postgres.`,
      {
        cause: error,
      },
    );
  } finally {
    client.disconnect();
  }
}
