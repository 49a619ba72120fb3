import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { answerDoorbell, openDoorbell, type Doorbell } from '../../src/queue.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { takeRedisDatabase } from '../support/redis.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
let redis: Awaited<ReturnType<typeof takeRedisDatabase>>;
let doorbell: Doorbell;
let answering: ReturnType<typeof answerDoorbell>;
const heard: { id: string; at: number }[] = [];

beforeAll(async () => {
  database = await createDatabase();
  redis = await takeRedisDatabase();
  const config = readConfig({
    DATABASE_URL: database.url,
    REDIS_URL: redis?.url,
    DCTL_SECRET_KEY: randomBytes(32).toString('base64'),
    DCTL_STORAGE_DIR: '/nowhere',
  });
  const log = createLog('setup', 'error');
  const hear = {
    handle: async (id: string) => void heard.push({ id, at: performance.now() }),
    concurrency: 1,
  };
  doorbell = openDoorbell(config, log);
  answering = answerDoorbell(config, log, {
    run: hear,
    delivery: hear,
    schedule: hear,
    preparation: hear,
  });
});
afterAll(async () => {
  await answering.close();
  await doorbell.close();
  await redis?.drop();
  await database.drop();
});

test('a message for later comes when its time has come, and holds up none that is for now', async () => {
  const rungAt = performance.now();
  await doorbell.ringRun('later', 1_500);
  await doorbell.ringRun('now');
  await until(
    'both were heard',
    () => heard.map(({ id }) => id),
    (ids) => ids.length === 2,
  );
  expect(heard).toMatchObject([{ id: 'now' }, { id: 'later' }]);
  expect(heard[1]!.at - rungAt).toBeGreaterThanOrEqual(1_400);
});
