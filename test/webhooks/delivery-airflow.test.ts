import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DeployedProject } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { bodyOf, createWebhookJob, deployProjectWithoutImage, runAndTell } from '../support/webhooks.ts';

let system: System;
let project: DeployedProject;
/** Starts a DAG run and says 500 all the same, as a proxy in front of it may; then knows the run. */
let receiver: Receiver;

beforeAll(async () => {
  system = await startSystem({ environment: { DCTL_WEBHOOK_RETRY_SECONDS: '0.2' } });
  project = await deployProjectWithoutImage(system);
  const known = new Set<string>();
  receiver = await startReceiver((response) => {
    const { id } = bodyOf(receiver.hits.at(-1)!).conf.job_run;
    response.writeHead(known.has(id) ? 409 : 500).end();
    known.add(id);
  });
});
afterAll(async () => {
  await receiver.close();
  await system.stop();
});

test.each([
  ['Airflow 2', '/api/v1/dags/downstream/dagRuns', ['conf', 'dag_run_id']],
  ['Airflow 3', '/api/v2/dags/downstream/dagRuns', ['conf', 'dag_run_id', 'logical_date']],
])(
  "%s gets the run's own dag_run_id, and a 409 on the retry means it had arrived",
  async (_version, path, keys) => {
    const job = await createWebhookJob(system, project, new URL(path, receiver.url).href);
    const { run, delivery } = await runAndTell(system, job);

    expect(delivery).toMatchObject({
      state: 'delivered',
      tries: [
        { status_code: 500 },
        { status_code: 409, explanation: 'The receiver answered 409: the first try had already arrived.' },
      ],
    });
    const [first, second, ...more] = receiver.hits.splice(0);
    expect(more).toEqual([]);
    expect(second!.body).toEqual(first!.body);
    expect(first!.url).toBe(path);
    const body = bodyOf(first!);
    expect(Object.keys(body)).toEqual(keys);
    expect(body.dag_run_id).toBe(`dctl__${run.id}`);
    expect(body.logical_date ?? null).toBeNull();
    expect(body.conf.job_run.id).toBe(run.id);
  },
);

test.each([
  '/hooks/api/v2/dags/downstream/dagRuns',
  '/api/v2/dags/downstream/dagRuns/',
  '/api/v2/dags/downstream/dagRuns/list',
  '/api/v3/dags/downstream/dagRuns',
  '/hook?to=/api/v2/dags/downstream/dagRuns',
])('%s is not Airflow: it gets conf and nothing more', async (path) => {
  const job = await createWebhookJob(system, project, new URL(path, receiver.url).href);
  const { delivery } = await runAndTell(system, job);
  expect(delivery).toMatchObject({ state: 'failed', tries: [{ status_code: 500 }, { status_code: 409 }] });
  const hits = receiver.hits.splice(0);
  expect(hits.map(({ url }) => url)).toEqual([path, path]);
  for (const hit of hits) expect(Object.keys(bodyOf(hit))).toEqual(['conf']);
});
