import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startProcess, type TestProcess } from '../support/process.ts';
import { ended } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { call, startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import {
  createWebhookJob,
  deliveryEnded,
  deployProjectWithoutImage,
  type JobKey,
} from '../support/webhooks.ts';

let system: System;
let receiver: Receiver;
let job: JobKey;
/** An API process whose messages get lost: the queue it is told of is not there. */
let api: TestProcess;
let url: string;

beforeAll(async () => {
  system = await startSystem({ environment: { DCTL_LEASE_SECOND: '5' } });
  receiver = await startReceiver((response) => response.end());
  const project = await deployProjectWithoutImage(system);
  job = await createWebhookJob(system, project, receiver.url, { max_parallel_runs: 2 });
  api = startProcess('dist/src/main.js', { ...system.environment, REDIS_URL: 'redis://127.0.0.1:1' });
  const { address } = (await api.said('serving')) as { address: { port: number } };
  url = `http://127.0.0.1:${address.port}`;
});
afterAll(async () => {
  api.signal('SIGTERM');
  await api.ended;
  await receiver.close();
  await system.stop();
});

const trigger = (requestId: string) =>
  call(`${url}/api/v1/projects/${job.projectId}/jobs/${job.jobId}/trigger`, 'POST', undefined, {
    authorization: `Bearer ${system.token}`,
    'x-request-id': requestId,
  });

test('every line about a request, however deep inside it was written, carries the id of this request and no other', async () => {
  const [first, second] = await Promise.all([trigger('request-one'), trigger('request-two')]);
  await until(
    'all there is to say of both is logged',
    () => api.lines.filter((line) => 'request' in line).length,
    (count) => count === 6,
  );
  for (const [id, answer] of [
    ['request-one', first],
    ['request-two', second],
  ] as const) {
    expect(answer.headers.get('x-request-id')).toBe(id);
    const lines = api.lines.filter((line) => line['request'] === id);
    expect(lines.map(({ msg }) => msg)).toEqual([
      'run queued',
      'request',
      'a message was not queued; the sweeper will ring again',
    ]);
    expect(lines[0]).toMatchObject({ run: answer.body.job_run_id, job: job.jobId });
    expect(lines[1]).toMatchObject({ status: 200, method: 'POST' });
    expect(lines[2]).toMatchObject({ id: answer.body.job_run_id });
  }
});

test('every line a worker writes about a run or a webhook carries its id, also where nothing said which it was', async () => {
  // What it cannot open, it complains about from a place that knows of no run.
  await system.pool.query(`UPDATE jobs SET webhook_headers = 'not sealed' WHERE id = $1`, [job.jobId]);
  const unreadable = (await trigger('request-three')).body.job_run_id as string;
  await ended(system, unreadable);
  const [worker] = system.workers;
  const about = (run: string) => worker!.lines.filter((line) => line['run'] === run);
  expect(about(unreadable).map(({ msg }) => msg)).toEqual([
    'run claimed',
    'the container could not be started',
    expect.stringContaining('webhook'),
    'run ended',
  ]);

  await system.pool.query(`UPDATE jobs SET webhook_headers = NULL WHERE id = $1`, [job.jobId]);
  const told = (await trigger('request-four')).body.job_run_id as string;
  const { id: delivery } = await deliveryEnded(system, job, told);
  await worker!.said('webhook ended');
  expect(worker!.lines.filter((line) => line['delivery'] === delivery)).toEqual([
    expect.objectContaining({ msg: 'webhook ended', run: told, state: 'delivered' }),
  ]);
});

test('both processes warn of a variable that was to be a setting', () => {
  for (const { lines } of [system.api, ...system.workers]) {
    expect(lines.filter(({ msg }) => msg === 'this setting is not known')).toEqual([
      expect.objectContaining({ level: 'warn', setting: 'DCTL_LEASE_SECOND', nearest: 'DCTL_LEASE_SECONDS' }),
    ]);
  }
});
