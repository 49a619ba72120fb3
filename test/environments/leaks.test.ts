import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createJob, deployProject, ended, expectStatus, trigger } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { dumpRedis, startRedis, type RedisServer } from '../support/redis.ts';
import { secretsIn, storedText } from '../support/stored-text.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { deliveryEnded, headerOf, revealSecret } from '../support/webhooks.ts';
import { privateKey } from './connections.ts';

const secrets: Record<string, string> = {
  password: `p@ss "word's" \\${randomBytes(6).toString('hex')}`,
  key: privateKey,
  name: `named-${randomBytes(6).toString('hex')}`,
  'a line of the key': privateKey.split('\n')[5]!,
  header: `Bearer planted-${randomBytes(6).toString('hex')}`,
};

let system: System;
let redis: RedisServer;
let receiver: Receiver;
let run: any;
let inspected = '';
const shown: Record<string, string> = {};

beforeAll(async () => {
  redis = await startRedis();
  receiver = await startReceiver((response) => response.end());
  system = await startSystem({ environment: { DCTL_LOG_LEVEL: 'debug', REDIS_URL: redis.url } });
  secrets['token'] = system.token;
  const project = await deployProject(system, { folder: join(import.meta.dirname, 'leaky') });
  const environment = `/api/v1/projects/${project.projectId}/environments/${project.environmentId}`;
  for (const [name, value] of [
    ['DBT_PASSWORD', secrets['password']],
    ['DBT_ENV_SECRET_KEY', secrets['key']],
    ['DBT_ENV_SECRET_NAME', secrets['name']],
  ])
    await expectStatus(200, system.call('PUT', `${environment}/secrets/${name}`, { value }));
  const jobId = await createJob(system, project.projectId, {
    command: 'dbt build',
    webhook_enabled: true,
    webhook_url: receiver.url,
    webhook_headers: { Authorization: secrets['header'] },
  });
  const job = { ...project, jobId };
  secrets['signing secret'] = revealSecret(system, job);

  const runId = await trigger(system, job);
  const container = system.docker.getContainer(`dctl-run-${runId}`);
  await until(
    'the container runs',
    () => container.inspect().catch(() => undefined),
    (found) => found?.State.Running === true,
  );
  await until(
    'the model has printed, or the run has ended',
    async () => {
      const { text } = await system.call('GET', `/api/v1/runs/${runId}/logs`);
      const { body } = await system.call('GET', `/api/v1/runs/${runId}`);
      return { text, status: body?.status };
    },
    ({ text, status }) => text.includes('split: ') || !['queued', 'running'].includes(status),
  );
  inspected = JSON.stringify([await container.inspect(), await container.top()]);
  run = await ended(system, runId);
  await deliveryEnded(system, job, runId);

  const path = `/api/v1/runs/${runId}`;
  for (const part of ['', '/nodes', '/logs', '/artifacts']) await show(`${path}${part}`);
  for (const artifact of JSON.parse(shown[`${path}/artifacts`]!).data) {
    await show(`${path}/artifacts/${artifact.path}`);
  }
  await show(environment);
  await show(`${environment}/secrets`);
  await show(`/api/v1/projects/${project.projectId}/jobs/${jobId}/deliveries`);
});
afterAll(async () => {
  await system?.stop();
  await Promise.all([redis.close(), receiver.close()]);
});

async function show(path: string): Promise<void> {
  shown[path] = (await expectStatus(200, system.call('GET', path))).text;
}

const answer = (end: string) => Object.entries(shown).find(([path]) => path.endsWith(end))![1];

test('the run told its secrets to whoever may have them', () => {
  expect(run).toMatchObject({ status: 'partial', nodes_succeeded: 2, nodes_failed: 1 });
  expect(headerOf(receiver.hits[0]!, 'authorization')).toBe(secrets['header']);
});

describe('a planted secret', () => {
  test('is masked in every form that the log has it in', () => {
    const log = answer('/logs');
    for (const before of [
      'plain: ',
      'in a URL: ',
      'as JSON: {"password": "',
      'for HTML: "',
      'in a warning: ',
      'in base64: ',
      'as a header: Basic',
      "repr: {'password': ",
      'key: ',
      'split: ',
    ]) {
      const line = log.split('\n').find((each) => each.includes(before));
      expect({ before, line }).toEqual({ before, line: expect.stringContaining('*****') });
    }
    expect(secretsIn(log, secrets)).toEqual([]);
  });

  test("is masked in a failed node's message, in the run's, and in the webhook", () => {
    const failed = JSON.parse(answer('/nodes')).data.find(
      (node: any) => node.unique_id === 'model.leaky.failing',
    );
    expect(failed.message).toMatch(/Could not convert string '\*{5}'/);
    expect(run.error_message).toContain(`'*****'`);
    expect(secretsIn(receiver.hits.map(({ body }) => body.toString()).join(), secrets)).toEqual([]);
  });

  test('is masked in artifacts, which stay what they are', () => {
    expect(answer('/artifacts/compiled/leaky/models/compiled.sql')).toContain("select '*****' as password");
    expect(answer('/left.txt')).toBe('a file: *****\n');
    expect(answer('/artifacts')).not.toContain(secrets['name']);
    const { nodes } = JSON.parse(answer('/manifest.json'));
    expect(nodes['model.leaky.compiled'].compiled_code).toContain('*****');
    expect(JSON.parse(answer('/run_results.json')).results).toHaveLength(3);
  });

  test('is in no answer of the API', () => {
    for (const [path, text] of Object.entries(shown))
      expect({ path, found: secretsIn(text, secrets) }).toEqual({ path, found: [] });
  });

  test('is in no table, no message, and no file of the server', async () => {
    const stored = await storedText(system.pool);
    expect(stored).toContain(run.id);
    expect(secretsIn(stored, secrets)).toEqual([]);
    expect(secretsIn(JSON.stringify(await dumpRedis(redis.client)), secrets)).toEqual([]);
    const files = readdirSync(system.environment['DCTL_STORAGE_DIR']!, {
      recursive: true,
      withFileTypes: true,
    });
    const plain = files.filter((file) => file.isFile());
    expect(plain.map(({ name }) => name)).toContain('manifest.json');
    for (const { parentPath, name } of plain)
      expect({ name, found: secretsIn(textOf(join(parentPath, name)), secrets) }).toEqual({
        name,
        found: [],
      });
  });

  test('is shown neither by docker inspect nor in the list of processes', () => {
    expect(inspected).toContain(run.id);
    expect(secretsIn(inspected, secrets)).toEqual([]);
  });

  test("is in no log line of the server's processes", () => {
    const lines = [system.api, ...system.workers].flatMap((each) => each.lines);
    expect(JSON.stringify(lines)).toContain(run.id);
    expect(secretsIn(JSON.stringify(lines), secrets)).toEqual([]);
  });
});

function textOf(path: string): string {
  const content = readFileSync(path);
  return (content.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b])) ? gunzipSync(content) : content).toString(
    'latin1',
  );
}
