import { dumpRedis, onRedis } from './redis.ts';
import type { System } from './system.ts';

type Queued = Pick<System, 'environment' | 'pool'>;

/** How many messages about this id the queue holds, those at work included. */
export async function countMessages({ environment, pool }: Queued, id: string): Promise<number> {
  if (environment['REDIS_URL'] !== undefined) {
    const dump = await onRedis(environment['REDIS_URL'], dumpRedis);
    return Object.entries(dump).filter(([key, value]) => /:\d+$/.test(key) && value.includes(id)).length;
  }
  const sql = `SELECT count(*)::int FROM bullmq.job AS message WHERE message::text LIKE '%' || $1 || '%'`;
  return (await pool.query(sql, [id])).rows[0].count;
}

/** Loses every message, as a queue does that kept nothing on disk. */
export async function loseMessages({ environment, pool }: Queued): Promise<void> {
  if (environment['REDIS_URL'] === undefined) await pool.query('DELETE FROM bullmq.job');
  else await onRedis(environment['REDIS_URL'], async (client) => void (await client.flushdb()));
}

/** What the queue holds where it is not part of the database. */
export async function textOfRedis({ environment }: Queued): Promise<string> {
  if (environment['REDIS_URL'] === undefined) return '';
  const dump = await onRedis(environment['REDIS_URL'], dumpRedis);
  return Object.entries(dump)
    .map((entry) => entry.join(' '))
    .join('\n');
}

/** Loses all that the queue holds, the times of schedules with it. */
export async function emptyQueue(system: Queued): Promise<void> {
  await loseMessages(system);
  if (system.environment['REDIS_URL'] === undefined) await system.pool.query('DELETE FROM bullmq.scheduler');
}
