import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deployProject, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Hit, type Receiver } from '../support/receiver.ts';
import { dumpRedis, startRedis, type RedisServer } from '../support/redis.ts';
import { secretsIn } from '../support/stored-text.ts';
import { startSystem, type System } from '../support/system.ts';
import { createWebhookJob, headerOf, hitsOf, revealSecret, runAndTell } from '../support/webhooks.ts';

const secrets: Record<string, string> = {
  header: 'Bearer planted-in-redis-4471',
  cause: 'planted-cause-91',
  metadata: 'planted-metadata-17',
};

let system: System;
let redis: RedisServer;
let project: DeployedProject;
let receiver: Receiver;
/** What a test does when a webhook has come, before it is answered. */
let onHit: (hit: Hit) => Promise<void> = async () => undefined;

beforeAll(async () => {
  redis = await startRedis();
  system = await startSystem({ environment: { REDIS_URL: redis.url } });
  receiver = await startReceiver(async (response) => {
    await onHit(receiver.hits.at(-1)!);
    response.end();
  });
  project = await deployProject(system);
});
afterAll(async () => {
  await receiver.close();
  await system.stop();
  await redis.close();
});

test('the worker takes its messages from Redis', () => {
  expect(system.workers[0]!.lines.find(({ msg }) => msg === 'working')).toMatchObject({ queue: 'redis' });
});

test('a message holds an id and nothing else, and nothing secret ever passes through Redis', async () => {
  const spoken: string[] = [];
  const monitor = await redis.client.monitor();
  monitor.on('monitor', (_time: string, args: string[]) => spoken.push(args.join(' ')));
  let dumped: Record<string, string> = {};
  onHit = async () => void (dumped = await dumpRedis(redis.client));

  const job = await createWebhookJob(system, project, receiver.url, {
    webhook_headers: { Authorization: secrets['header']! },
  });
  secrets['signing secret'] = revealSecret(system, job);
  const told = { cause: secrets['cause'], metadata: { key: secrets['metadata'] } };
  const { run, delivery } = await runAndTell(system, job, told);
  monitor.disconnect();

  expect(delivery).toMatchObject({ state: 'delivered', tries: [{ number: 1, status_code: 200 }] });
  const [hit, ...more] = hitsOf(receiver.hits, run.id);
  expect(more).toEqual([]);
  expect(headerOf(hit!, 'authorization')).toBe(secrets['header']);
  expect(hit!.arrivedAt.getTime() - Date.parse(run.end_time)).toBeLessThan(1_000);

  const message = Object.entries(dumped).find(
    ([key, value]) => /^bull:dctl-deliveries:\d+$/.test(key) && value.includes(delivery.id),
  );
  expect(JSON.parse(JSON.parse(message![1]).data)).toEqual({ id: delivery.id });
  expect(spoken.join('\n')).toContain(run.id);
  expect(secretsIn(JSON.stringify(dumped), secrets)).toEqual([]);
  expect(secretsIn(spoken.join('\n'), secrets)).toEqual([]);
});
