import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { asAnotherOrganization, insertToken, withToken } from '../support/organization.ts';
import { expectStatus, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Hit, type Receiver } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import {
  bodyOf,
  changeJob,
  createWebhookJob,
  deliveriesOf,
  deployProjectWithoutImage,
  headerOf,
  revealSecret,
  runAndTell,
  type JobKey,
} from '../support/webhooks.ts';

// A delivery nobody has ended after 2 * 2 + 0.3 + 2 s is given up.
const times = {
  DCTL_WEBHOOK_TIMEOUT_SECONDS: '2',
  DCTL_WEBHOOK_RETRY_SECONDS: '0.3',
  DCTL_LEASE_SECONDS: '2',
  DCTL_SWEEP_SECONDS: '0.2',
};

let system: System;
/** Its runs end at once, as an error: what becomes of their webhooks is what counts here. */
let project: DeployedProject;
const receivers: Receiver[] = [];

beforeAll(async () => {
  system = await startSystem({ environment: times });
  project = await deployProjectWithoutImage(system);
});
afterEach(async () => {
  await Promise.all(receivers.splice(0).map((receiver) => receiver.close()));
});
afterAll(() => system.stop());

async function receive(answer: (response: ServerResponse, hit: number) => void): Promise<Receiver> {
  const receiver = await startReceiver((response) => answer(response, receiver.hits.length));
  receivers.push(receiver);
  return receiver;
}

const answerAll = (status: number) => receive((response) => response.writeHead(status).end());

const jobPath = ({ projectId, jobId }: JobKey) => `/api/v1/projects/${projectId}/jobs/${jobId}`;
const again = (id: string, as: System = system) => as.call('POST', `/api/v1/deliveries/${id}/send-again`);
const testOf = (job: JobKey, as: System = system) => as.call('POST', `${jobPath(job)}/webhook/test`);

async function endOf(id: string): Promise<any> {
  return until(
    `delivery ${id} has ended`,
    async () => (await system.call('GET', `/api/v1/deliveries/${id}`)).body,
    ({ state }) => !['pending', 'sending'].includes(state),
    30_000,
  );
}

async function auditOf(subjectId: string): Promise<any[]> {
  const sql =
    'SELECT action, actor_name, details FROM audit_events WHERE subject_id = $1 ORDER BY created_at';
  return (await system.pool.query(sql, [subjectId])).rows;
}

function expectSigned(hit: Hit, secret: string): void {
  const hex = createHmac('sha256', secret).update(hit.body).digest('hex');
  expect(headerOf(hit, 'x-dagctl-signature')).toBe(`sha256=${hex}`);
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  new Webhook(secret).verify(hit.body, Object.fromEntries(names.map((name) => [name, headerOf(hit, name)])));
}

describe('a webhook sent again', () => {
  test('is a delivery of its own with the same body, to where the job tells now, signed with what it signs with now', async () => {
    const [old, now] = [await answerAll(404), await answerAll(200)];
    const job = await createWebhookJob(system, project, old.url, { webhook_headers: { 'X-Key': 'old' } });
    const { run, delivery: first } = await runAndTell(system, job, { cause: 'ümlaut', metadata: { n: 1.5 } });
    expect(first).toMatchObject({
      kind: 'run_finished',
      state: 'failed',
      sent_again_of: null,
      requested_by: null,
    });
    const oldSecret = revealSecret(system, job);
    await expectStatus(
      200,
      changeJob(system, job, { webhook_url: now.url, webhook_headers: { 'X-Key': 'new' } }),
    );

    const caller = withToken(system, await insertToken(system, { scope: 'trigger' }));
    const asked = await expectStatus(202, again(first.id, caller));
    expect(asked.body).toMatchObject({
      kind: 'sent_again',
      run_id: run.id,
      job_id: job.jobId,
      event: 'job.failed',
      url: now.url,
      state: 'pending',
      sent_again_of: first.id,
      requested_by: 'test',
      tries: [],
    });
    const second = await endOf(asked.body.id);
    expect(second).toMatchObject({ state: 'delivered', tries: [{ number: 1, status_code: 200 }] });

    expect(old.hits).toHaveLength(1);
    expect(now.hits).toHaveLength(1);
    const [hit] = now.hits as [Hit];
    expect(hit.body).toEqual(old.hits[0]!.body);
    expect(headerOf(hit, 'x-key')).toBe('new');
    expect(headerOf(hit, 'webhook-id')).toBe(second.id);
    const secret = revealSecret(system, job);
    expect(secret).not.toBe(oldSecret);
    expectSigned(hit, secret);

    const ofRun = await expectStatus(200, system.call('GET', `/api/v1/runs/${run.id}/deliveries`));
    // A list leaves out what is sent, which may be long.
    const { body: _sent, ...listed } = second;
    expect(ofRun.body.data).toEqual([listed, first]);
    expect(await auditOf(second.id)).toEqual([
      {
        action: 'webhook.sent_again',
        actor_name: 'test',
        details: { sent_again_of: first.id, run_id: run.id, job_id: job.jobId },
      },
    ]);
  });

  test('fits the kind of Airflow that it goes to now, for the same DAG run', async () => {
    const receiver = await receive((response, hit) => response.writeHead(hit === 1 ? 404 : 200).end());
    const at = (path: string) => receiver.url.replace('/hook', path);
    const job = await createWebhookJob(system, project, at('/api/v1/dags/one/dagRuns'));
    const { run, delivery } = await runAndTell(system, job);
    await expectStatus(200, changeJob(system, job, { webhook_url: at('/api/v2/dags/one/dagRuns') }));
    await endOf((await expectStatus(202, again(delivery.id))).body.id);
    const [first, second] = receiver.hits.map(bodyOf);
    expect(first).toEqual({ conf: expect.anything(), dag_run_id: `dctl__${run.id}` });
    expect(second).toEqual({ ...first, logical_date: null });
  });

  test('to an Airflow that has its DAG run is delivered: it knows of it already', async () => {
    const receiver = await receive((response, hit) => response.writeHead(hit <= 2 ? 503 : 409).end());
    const url = receiver.url.replace('/hook', '/api/v2/dags/one/dagRuns');
    const { delivery } = await runAndTell(system, await createWebhookJob(system, project, url));
    expect(delivery.state).toBe('failed');
    expect(await endOf((await expectStatus(202, again(delivery.id))).body.id)).toMatchObject({
      state: 'delivered',
      tries: [{ status_code: 409, explanation: 'The receiver answered 409: it knows of this run already.' }],
    });
  });

  test('waits for the end of the one that is on its way: of ten at once one is sent', async () => {
    const held: ServerResponse[] = [];
    const receiver = await receive((response, hit) => {
      if (hit === 1) response.end();
      else held.push(response);
    });
    const { run, delivery } = await runAndTell(system, await createWebhookJob(system, project, receiver.url));
    const answers = await Promise.all(Array.from({ length: 10 }, () => again(delivery.id)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, ...Array(9).fill(409)]);
    const { id } = answers.find(({ status }) => status === 202)!.body;
    await until(
      'it is being sent',
      () => held.length,
      (count) => count === 1,
    );
    for (const each of [id, delivery.id])
      expect(await again(each)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining('is on its way') },
      });
    held[0]!.end();
    expect(await endOf(id)).toMatchObject({ state: 'delivered' });
    expect(receiver.hits).toHaveLength(2);
    const ofRun = await system.call('GET', `/api/v1/runs/${run.id}/deliveries`);
    expect(ofRun.body.data).toHaveLength(2);
  });

  test('by a worker that died on the way is unknown, and sent once more only when somebody asks', async () => {
    const worker = system.workers.pop()!;
    const receiver = await receive((response, hit) => {
      if (hit === 2) worker.signal('SIGKILL');
      else response.end();
    });
    const { delivery } = await runAndTell(system, await createWebhookJob(system, project, receiver.url));
    const lost = (await expectStatus(202, again(delivery.id))).body.id;
    await worker.ended;
    await system.startWorker();
    expect(await endOf(lost)).toMatchObject({ state: 'unknown', tries: [{ number: 1, result: null }] });
    expect(receiver.hits).toHaveLength(2);

    const next = (await expectStatus(202, again(lost))).body;
    expect(next.sent_again_of).toBe(lost);
    expect(await endOf(next.id)).toMatchObject({ state: 'delivered' });
    expect(receiver.hits.map(bodyOf)).toEqual(Array(3).fill(bodyOf(receiver.hits[0]!)));
  });

  test('is refused where the job sends none any more', async () => {
    const receiver = await answerAll(200);
    const job = await createWebhookJob(system, project, receiver.url);
    const { delivery } = await runAndTell(system, job);
    for (const change of [{ webhook_enabled: false }, { webhook_url: null }]) {
      await expectStatus(200, changeJob(system, job, change));
      expect(await again(delivery.id)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining('sends no webhooks any more') },
      });
    }
    await expectStatus(204, system.call('DELETE', jobPath(job)));
    expect(await again(delivery.id)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('was deleted') },
    });
    expect(receiver.hits).toHaveLength(1);
  });
});

describe('a test of a webhook', () => {
  test('tells of a run that never was, says that it is a test, and is signed like any other', async () => {
    const receiver = await answerAll(200);
    const job = await createWebhookJob(system, project, receiver.url, {
      webhook_enabled: false,
      webhook_headers: { 'X-Key': 'mine' },
    });
    const asked = await expectStatus(202, testOf(job));
    expect(asked.body).toMatchObject({ kind: 'test', run_id: null, state: 'pending', sent_again_of: null });
    expect(asked.body.requested_by).toMatch(/\w/);
    const { id } = asked.body;
    expect(await endOf(id)).toMatchObject({ state: 'delivered', tries: [{ status_code: 200 }] });

    const [hit] = receiver.hits as [Hit];
    expectSigned(hit, revealSecret(system, job));
    expect(headerOf(hit, 'x-dagctl-event')).toBe('job.completed');
    expect(headerOf(hit, 'x-key')).toBe('mine');
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(bodyOf(hit)).toEqual({
      conf: {
        event: 'job.completed',
        timestamp: time,
        job: { id: job.jobId, name: expect.any(String), command: 'dbt run-operation hello' },
        job_run: {
          id: expect.stringMatching(/^test-/),
          status: 'success',
          triggered_by: 'manual',
          start_time: time,
          end_time: time,
          duration_seconds: 0,
          command_override: null,
          error_message: null,
        },
        project: { id: project.projectId, name: expect.any(String), type: 'dbt' },
        organization: { id: system.organizationId, name: expect.any(String) },
        test: true,
      },
    });
    expect(await deliveriesOf(system, job)).toMatchObject([{ id, kind: 'test' }]);
    expect(await auditOf(id)).toMatchObject([{ action: 'webhook.tested', details: { job_id: job.jobId } }]);
    expect(await again(id)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('a test') },
    });
  });

  test('is of an event that the job tells, retried once, and a DAG run of its own each time', async () => {
    const receiver = await answerAll(500);
    const job = await createWebhookJob(
      system,
      project,
      receiver.url.replace('/hook', '/api/v1/dags/a/dagRuns'),
      {
        webhook_events: ['failed'],
      },
    );
    for (let round = 0; round < 2; round += 1)
      expect(await endOf((await expectStatus(202, testOf(job))).body.id)).toMatchObject({
        event: 'job.failed',
        state: 'failed',
        tries: [{ status_code: 500 }, { status_code: 500 }],
      });
    const bodies = receiver.hits.map(bodyOf);
    expect(new Set(bodies.map(({ dag_run_id }) => dag_run_id)).size).toBe(2);
    for (const { conf, dag_run_id } of bodies) {
      expect(dag_run_id).toBe(`dctl__${conf.job_run.id}`);
      expect(conf).toMatchObject({ event: 'job.failed', job_run: { status: 'failed' }, test: true });
    }
  });

  test('needs a URL', async () => {
    const job = { ...project };
    for (const path of ['test', 'reveal-secret', 'rotate-secret'])
      expect(await system.call('POST', `${jobPath(job)}/webhook/${path}`)).toMatchObject({
        status: 409,
        body: { detail: 'The job has no webhook yet. Set its webhook_url first.' },
      });
  });
});

test('the signing secret is shown to admins on request, not to be stored on the way, and who saw it is noted', async () => {
  const job = await createWebhookJob(system, project, 'http://127.0.0.1:9/');
  const admin = withToken(system, await insertToken(system));
  const shown = await expectStatus(200, admin.call('POST', `${jobPath(job)}/webhook/reveal-secret`));
  expect(shown.body).toEqual({ webhook_secret: revealSecret(system, job), previous_until: null });
  expect(shown.headers.get('cache-control')).toBe('no-store');
  const noted = (await auditOf(job.jobId)).filter(({ action }) => action === 'webhook.secret_revealed');
  expect(noted).toContainEqual({ action: 'webhook.secret_revealed', actor_name: 'test', details: null });
  expect(JSON.stringify(noted)).not.toContain(shown.body.webhook_secret.slice(6));
});

test('webhooks are changed, tested and revealed with the scope admin only, and read and sent again with less', async () => {
  const receiver = await answerAll(200);
  const job = await createWebhookJob(system, project, receiver.url);
  const { delivery } = await runAndTell(system, job);
  const [reader, caller] = [
    withToken(system, await insertToken(system, { scope: 'read' })),
    withToken(system, await insertToken(system, { scope: 'trigger' })),
  ];
  for (const as of [reader, caller]) {
    expect((await changeJob(as, job, { webhook_url: 'https://example.com/' })).status).toBe(403);
    expect((await testOf(job, as)).status).toBe(403);
    expect((await as.call('POST', `${jobPath(job)}/webhook/reveal-secret`)).status).toBe(403);
    expect((await as.call('POST', `${jobPath(job)}/webhook/rotate-secret`)).status).toBe(403);
    expect((await as.call('GET', `/api/v1/deliveries/${delivery.id}`)).body).toEqual({
      ...delivery,
      body: receiver.hits[0]!.body.toString(),
    });
  }
  expect((await again(delivery.id, reader)).status).toBe(403);
  expect((await again(delivery.id, caller)).status).toBe(202);
});

test("another organization's deliveries are the same 404 as ones that are not there", async () => {
  const receiver = await answerAll(200);
  const job = await createWebhookJob(system, project, receiver.url);
  const { run, delivery } = await runAndTell(system, job);
  const other = await asAnotherOrganization(system);
  const calls = (deliveryId: string, runId: string, ofJob: string) =>
    [
      ['GET', `/api/v1/deliveries/${deliveryId}`],
      ['POST', `/api/v1/deliveries/${deliveryId}/send-again`],
      ['GET', `/api/v1/runs/${runId}/deliveries`],
      ['GET', `${ofJob}/deliveries`],
      ['POST', `${ofJob}/webhook/test`],
      ['POST', `${ofJob}/webhook/reveal-secret`],
    ] as const;
  const missing = calls('none', 'none', jobPath({ ...job, jobId: 'none' }));
  for (const [index, [method, path]] of calls(delivery.id, run.id, jobPath(job)).entries()) {
    const foreign = await other.call(method, path);
    expect({ path, status: foreign.status }).toEqual({ path, status: 404 });
    expect(foreign.text).toBe((await other.call(method, missing[index]![1])).text);
  }
  expect(receiver.hits).toHaveLength(1);
});

test('a list of deliveries can be of one run, or of one state', async () => {
  const receiver = await receive((response, hit) => response.writeHead(hit === 1 ? 400 : 200).end());
  const job = await createWebhookJob(system, project, receiver.url);
  const { run, delivery: failed } = await runAndTell(system, job);
  const { delivery: delivered } = await runAndTell(system, job);
  const listed = async (query: string) =>
    (await expectStatus(200, system.call('GET', `${jobPath(job)}/deliveries${query}`))).body.data;
  expect(await listed('')).toEqual([delivered, failed]);
  expect(await listed(`?run_id=${run.id}`)).toEqual([failed]);
  expect(await listed('?state=delivered')).toEqual([delivered]);
  expect(await listed(`?state=delivered&run_id=${run.id}`)).toEqual([]);
  expect((await system.call('GET', `${jobPath(job)}/deliveries?state=lost`)).status).toBe(400);
});
