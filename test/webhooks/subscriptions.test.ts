import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { testWebhook } from '../../src/dbt-cloud/webhooks.ts';
import { createLog } from '../../src/log.ts';
import { openContext } from '../../src/open-context.ts';
import { beginRun } from '../../src/runs/begin-run.ts';
import { startDockerProxy, type DockerProxy } from '../support/docker-proxy.ts';
import { asAnotherOrganization, insertToken, withToken } from '../support/organization.ts';
import type { TestProcess } from '../support/process.ts';
import {
  createJob,
  deployProject,
  ended,
  expectStatus,
  trigger,
  type DeployedProject,
} from '../support/project.ts';
import { startReceiver, type Hit, type Receiver } from '../support/receiver.ts';
import { addPerson, signIn } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { bodyOf, deployProjectWithoutImage, headerOf, quickCommand } from '../support/webhooks.ts';

const times = {
  DCTL_SUBSCRIPTION_RETRY_SECONDS: '1, 0.2, 0.2, 0.2',
  DCTL_WEBHOOK_TIMEOUT_SECONDS: '2',
  DCTL_WEBHOOK_RETRY_SECONDS: '0.2',
  DCTL_LEASE_SECONDS: '2',
  DCTL_SWEEP_SECONDS: '0.2',
};
const everything = ['job.run.started', 'job.run.completed', 'job.run.errored'];

let system: System;
let account: number;
/** Its runs end at once, as an error. */
let broken: DeployedProject;
let project: DeployedProject;
let proxy: DockerProxy;
const receivers: Receiver[] = [];

beforeAll(async () => {
  system = await startSystem({ workers: 0, environment: times });
  proxy = await startDockerProxy();
  account = await accountOf(system);
  [broken, project] = [await deployProjectWithoutImage(system), await deployProject(system)];
});
afterAll(async () => {
  await Promise.all([proxy, ...receivers].map((each) => each.close()));
  await system.stop();
});

describe('the events of a run', () => {
  test('are told once to whoever wants to hear them, signed, in the documented words, also when workers are killed on the way', async () => {
    const artifactsOf: Record<string, boolean> = {};
    const receiver = await receive(async (response) => {
      const { data, eventType } = bodyOf(receiver.hits.at(-1)!);
      const sql = 'SELECT artifacts_pending AS pending FROM runs WHERE number = $1';
      const { rows } = await system.pool.query(sql, [data.runId]);
      artifactsOf[`${data.runId} ${eventType}`] = !rows[0].pending;
      response.end();
    });
    const [job, other] = [await jobOf(project, 'dbt seed'), await jobOf(broken)];
    const made = await subscribe(receiver.url, { name: 'Läufe', job_ids: [await numberOf(job.jobId)] });
    const deaf = await subscribe(receiver.url, { job_ids: [await numberOf(other.jobId)], active: true });
    await subscribe(receiver.url, { active: false });

    // Two workers claim the first run, one after the other, and neither comes to execute it.
    const succeeded = await trigger(system, job, { cause: 'Ingestão concluída' });
    const context = openContext(readConfig(system.environment), createLog('setup', 'error'));
    const gone = { name: 'gone', leaseSeconds: 0, engineId: null };
    expect(await beginRun(context, succeeded, gone)).toMatchObject({ fence: 1 });
    expect(await beginRun(context, succeeded, gone)).toMatchObject({ fence: 2 });
    await context.close();

    // The third worker is killed after the run's end and before it has stored what the run left.
    const held = proxy.hold(/^GET .*\/archive/);
    const worker = await system.startWorker({ DOCKER_HOST: proxy.host });
    expect(await ended(system, succeeded)).toMatchObject({ status: 'success', artifacts_ready: false });
    await held;
    await until(
      'it has told all it may',
      () => statesOf(succeeded),
      (states) => states['job.run.started'] === 'delivered' && states['job.run.completed'] === 'held',
    );
    await kill(worker);
    proxy.release();

    const failed = await trigger(system, job, {
      command_override: `dbt parse --vars '{"break_compilation": true}'`,
    });
    const cancelled = await trigger(system, job);
    await expectStatus(200, system.call('POST', `/api/v1/runs/${cancelled}/cancel`));
    await system.startWorker();
    expect((await ended(system, failed)).status).toBe('failed');
    for (const runId of [succeeded, failed, cancelled]) await allDelivered(runId);

    const eventsOf = async (runId: string) => {
      const number = String((await runOf(runId)).number);
      return receiver.hits.map(bodyOf).filter(({ data }) => data.runId === number);
    };
    expect(receiver.hits.every((hit) => isSigned(hit, made.hmac_secret))).toBe(true);
    expect(receiver.hits.some((hit) => isSigned(hit, deaf.hmac_secret))).toBe(false);
    expect(Object.values(artifactsOf)).toHaveLength(receiver.hits.length);

    const run = await runOf(succeeded);
    const seconds = (time: Date) => `${time.toISOString().slice(0, 19)}Z`;
    const told = await eventsOf(succeeded);
    expect(told.map(({ eventType }) => eventType)).toEqual(['job.run.started', 'job.run.completed']);
    expect(told[1]).toEqual({
      accountId: account,
      webhooksID: made.id,
      eventId: expect.stringMatching(/^wev_[0-9a-f]{32}$/),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
      eventType: 'job.run.completed',
      webhookName: 'Läufe',
      data: {
        jobId: String(await numberOf(job.jobId)),
        jobName: run.job_name,
        runId: String(run.number),
        environmentId: String(run.environment_number),
        environmentName: 'production',
        dbtVersion: expect.stringMatching(/^\d+\.\d+\.\d+/),
        projectName: run.project_name,
        projectId: String(run.project_number),
        runStatus: 'Success',
        runStatusCode: 10,
        runStatusMessage: 'None',
        runReason: 'Ingestão concluída',
        runStartedAt: seconds(run.started_at),
        runFinishedAt: seconds(run.finished_at),
      },
    });
    expect(Object.keys(told[0].data)).toEqual(Object.keys(told[1].data).slice(0, -1));
    expect(told[0].data).toMatchObject({ runStatus: 'Running', runStatusCode: 3 });
    expect(artifactsOf[`${run.number} job.run.completed`]).toBe(true);

    const ofFailed = await eventsOf(failed);
    expect(ofFailed.map(({ eventType }) => eventType).sort()).toEqual(everything.toSorted());
    const errored = ofFailed.find(({ eventType }) => eventType === 'job.run.errored');
    expect(errored.data).toMatchObject({ runStatus: 'Errored', runStatusCode: 20 });
    expect(errored.data.runErroredAt).toBe(seconds((await runOf(failed)).finished_at));
    expect(errored.data).not.toHaveProperty('runFinishedAt');
    expect(artifactsOf[`${(await runOf(failed)).number} job.run.completed`]).toBe(true);

    // It never began, and it has not failed.
    expect(await eventsOf(cancelled)).toMatchObject([
      {
        eventType: 'job.run.completed',
        data: { runStatus: 'Cancelled', runStatusCode: 30, runStartedAt: null },
      },
    ]);
  });
});

describe('an event is sent', () => {
  test.each([
    ['again where it does not answer well, five times in all', [500], 'failed', 5],
    ['again until it is taken', [500, 429, 503, 204], 'delivered', 4],
    ['once where it is refused', [404], 'failed', 1],
    ['once where it is sent elsewhere', [302], 'failed', 1],
  ])('%s', async (_what, statuses, state, tries) => {
    const receiver = await answerWith(statuses);
    const { delivery } = await runBroken(receiver.url);
    expect(delivery).toMatchObject({ kind: 'run_event', event: 'job.run.errored', state });
    expect(delivery.tries.map(({ status_code: status }: any) => status)).toEqual(
      Array.from({ length: tries }, (_, index) => statuses[Math.min(index, statuses.length - 1)]),
    );
    expect(receiver.hits).toHaveLength(tries);
    // The same event, in the same words.
    expect(new Set(receiver.hits.map(({ body }) => body.toString())).size).toBe(1);
    const pauses = receiver.hits
      .slice(1)
      .map(({ arrivedAt }, index) => arrivedAt.getTime() - receiver.hits[index]!.arrivedAt.getTime());
    for (const [index, pause] of pauses.entries())
      expect(pause).toBeGreaterThanOrEqual(index === 0 ? 995 : 195);
  });

  test('to a receiver that is down five times, and each time says why', async () => {
    const down = await receive((response) => response.end());
    await down.close();
    const { delivery } = await runBroken(down.url);
    expect(delivery.state).toBe('failed');
    expect(delivery.tries.map(({ explanation }: any) => explanation)).toEqual([
      'No connection to the host could be made (ECONNREFUSED). It is sent again after 1 s.',
      ...[2, 3].map(
        () => 'No connection to the host could be made (ECONNREFUSED). It is sent again after 0.2 s.',
      ),
      'No connection to the host could be made (ECONNREFUSED). It is sent once more after 0.2 s.',
      'No connection to the host could be made (ECONNREFUSED). It was the last of 5 tries.',
    ]);
  });

  test('by another worker, when the one that owed the retry was killed; and never again by itself once it is half-sent', async () => {
    const receiver = await receive((response) => {
      if (receiver.hits.length === 1) response.writeHead(500).end();
    });
    const { subscription, runId } = await beginBroken(receiver.url);
    const seen = (what: string, isRight: (delivery: any) => boolean) =>
      until(what, async () => (await deliveriesOf(subscription.id))[0], isRight);
    await seen('the first try has ended', (each) => each?.state === 'pending' && each.tries.length === 1);
    await killAll();
    await system.startWorker();
    await until(
      'the second try has begun',
      () => receiver.hits.length,
      (count) => count === 2,
    );
    await killAll();
    await system.startWorker();
    const delivery = await seen(
      'nobody waits for it any more',
      ({ state }) => !['pending', 'sending'].includes(state),
    );
    expect(delivery).toMatchObject({ run_id: runId, state: 'unknown' });
    expect(delivery.tries).toMatchObject([{ status_code: 500 }, { result: null }]);
    expect(receiver.hits).toHaveLength(2);
  });
});

describe('a subscription', () => {
  test('is created with a secret that is never shown again, listed, replaced and deleted, and its deliveries stay', async () => {
    const receiver = await answerWith([200]);
    const other = await asAnotherOrganization(system);
    const wanted = {
      name: 'first',
      client_url: receiver.url,
      event_types: ['job.run.completed', 'job.run.completed'],
      active: true,
      description: 'what it is for',
    };
    const made = await expectStatus(201, call(other, 'POST', subscriptions(await accountOf(other)), wanted));
    expect(made.body.status).toMatchObject({ code: 201, is_success: true });
    const { id, hmac_secret: secret } = made.body.data;
    expect(id).toMatch(/^wsu_/);
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    const shown = {
      ...made.body.data,
      hmac_secret: null,
      job_ids: [],
      event_types: ['job.run.completed'],
      http_status_code: '0',
    };
    const list = subscriptions(await accountOf(other));
    const one = `${list.replace(/s$/, '')}/${id}`;
    expect((await expectStatus(200, call(other, 'GET', one))).body.data).toEqual(shown);
    expect((await expectStatus(200, call(other, 'GET', list))).body).toMatchObject({
      data: [shown],
      extra: { pagination: { count: 1, total_count: 1 } },
    });

    const tested = await expectStatus(200, call(other, 'GET', `${one}/test`));
    expect(tested.body.data).toEqual({ verification_error: null, verification_status_code: '200' });
    expect(isSigned(receiver.hits[0]!, secret)).toBe(true);
    expect(bodyOf(receiver.hits[0]!)).toMatchObject({ eventType: 'job.run.completed', data: { runId: '0' } });

    // As Terraform's provider writes one that is switched off, and clients of Python one of all jobs.
    const { active: _active, description: _description, ...rest } = wanted;
    const off = { ...rest, id, event_types: everything, job_ids: [] };
    const replaced = await expectStatus(200, call(other, 'PUT', one, off));
    expect(replaced.body.data).toMatchObject({
      active: false,
      description: '',
      event_types: everything,
      hmac_secret: null,
      http_status_code: '200',
    });
    await expectStatus(
      200,
      call(other, 'PUT', one, { ...wanted, job_ids: null, id: null, deactivate_reason: null }),
    );

    await expectStatus(200, call(other, 'DELETE', one));
    await expectStatus(404, call(other, 'GET', one));
    expect((await call(other, 'GET', list)).body.data).toEqual([]);
    const told = await call(other, 'GET', `/api/v1/webhook-subscriptions/${id}/deliveries`);
    expect(told.body.data).toMatchObject([{ kind: 'test', subscription_id: id, state: 'delivered' }]);
    const { rows } = await system.pool.query(
      'SELECT action FROM audit_events WHERE organization_id = $1 ORDER BY created_at',
      [other.organizationId],
    );
    expect(rows.map(({ action }) => action)).toEqual([
      'webhook_subscription.created',
      'webhook.tested',
      'webhook_subscription.changed',
      'webhook_subscription.changed',
      'webhook_subscription.deleted',
    ]);
  });

  test.each([
    ['an address that webhooks may not reach', { client_url: 'http://10.1.2.3/hook' }, 'private address'],
    [
      'a password in its address',
      { client_url: 'https://user:word@example.com/' },
      'signed with its hmac_secret',
    ],
    ['a host that its name hides', { client_url: 'http://169.254.169.254/' }, 'link-local'],
    ['another event', { event_types: ['job.run.exploded'] }, 'job.run.completed'],
    ['no event', { event_types: [] }, 'at least one of job.run.started'],
    ['a job that is not there', { job_ids: [999_999] }, 'There is no job 999999 in this account.'],
    ['a secret of its own', { hmac_secret: 'chosen' }, 'leave hmac_secret out'],
    ['an unknown field', { retries: 7 }, 'retries'],
  ])('with %s is refused', async (_what, fields, sentence) => {
    const refused = await call(system, 'POST', subscriptions(account), {
      name: 'wrong',
      client_url: 'http://127.0.0.1:9/',
      event_types: everything,
      ...fields,
    });
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({ data: null, status: { code: 400, is_success: false } });
    expect(refused.body.status.user_message).toContain(sentence);
  });

  test("of another organization is nobody's; its jobs are nobody's jobs", async () => {
    const other = await asAnotherOrganization(system);
    const { id } = await subscribe('http://127.0.0.1:9/', { active: false });
    const own = subscriptions(await accountOf(other));
    const one = `${own.replace(/s$/, '')}/${id}`;
    const body = { name: 'mine', client_url: 'http://127.0.0.1:9/', event_types: everything };
    const unknown = (await call(other, 'GET', `${own.replace(/s$/, '')}/wsu_0`)).text;
    expect(unknown).toContain('There is no such webhook subscription.');
    for (const [method, path] of [
      ['GET', one],
      ['PUT', one],
      ['DELETE', one],
      ['GET', `${one}/test`],
      ['POST', `${one}/test`],
    ] as const) {
      const answer = await call(other, method, path, method === 'PUT' ? body : undefined);
      expect([method, answer.status, answer.text]).toEqual([method, 404, unknown]);
    }
    expect((await call(other, 'GET', `/api/v1/webhook-subscriptions/${id}/deliveries`)).status).toBe(404);
    expect((await call(other, 'GET', subscriptions(account))).status).toBe(404);
    const job = await numberOf((await jobOf(broken)).jobId);
    expect((await call(other, 'POST', own, { ...body, job_ids: [job] })).status).toBe(400);
  });

  test('is changed and tried out by admins alone, and by no link that a browser follows', async () => {
    const { id } = await subscribe('http://127.0.0.1:9/', { active: false });
    const one = `${subscriptions(account).replace(/s$/, '')}/${id}`;
    const operator = withToken(system, await insertToken(system, { scope: 'trigger' }));
    expect((await call(operator, 'GET', one)).status).toBe(200);
    for (const [method, path] of [
      ['POST', subscriptions(account)],
      ['PUT', one],
      ['DELETE', one],
      ['GET', `${one}/test`],
    ] as const)
      expect((await call(operator, method, path, method === 'GET' ? undefined : {})).status).toBe(403);
    const browser = await signIn(system, await addPerson(system, 'admin'));
    const followed = await browser.call('GET', `${one}/test`);
    expect(followed).toMatchObject({ status: 405, body: { status: { code: 405 } } });
    // Nobody listens there.
    const posted = await browser.call('POST', `${one}/test`);
    expect(posted.body.data).toMatchObject({ verification_status_code: null });
    expect(posted.body.data.verification_error).toContain('It was the only try.');
  });

  test('that is tried out is not waited for when nobody wants to know any more', async () => {
    await killAll();
    const { id } = await subscribe('http://127.0.0.1:9/', { active: false });
    const context = openContext(readConfig(system.environment), createLog('setup', 'error'));
    const actor = { kind: 'token' as const, id: null, name: 'impatient' };
    const principal = { organizationId: system.organizationId, scope: 'admin' as const, actor };
    const startedAt = performance.now();
    const asked = { accountId: account, id, isGet: false };
    const tested = await testWebhook(context, principal, asked, AbortSignal.timeout(300));
    await context.close();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(tested.verification_error).toContain('still on its way');
  });

  test('sends again what it told, to where it goes now, unless it is switched off', async () => {
    const [first, second] = [await answerWith([404]), await answerWith([200])];
    const { subscription, delivery } = await runBroken(first.url);
    const { id, hmac_secret: secret, ...rest } = subscription;
    const one = `${subscriptions(account).replace(/s$/, '')}/${id}`;
    await expectStatus(200, call(system, 'PUT', one, { ...rest, client_url: second.url }));
    const again = await expectStatus(
      202,
      call(system, 'POST', `/api/v1/deliveries/${delivery.id}/send-again`),
    );
    expect(again.body).toMatchObject({ kind: 'sent_again', sent_again_of: delivery.id, subscription_id: id });
    await until(
      'it has come',
      () => second.hits.length,
      (count) => count === 1,
    );
    expect(second.hits[0]!.body).toEqual(first.hits[0]!.body);
    expect(isSigned(second.hits[0]!, secret)).toBe(true);
    await expectStatus(200, call(system, 'PUT', one, { ...rest, active: false }));
    const refused = await call(system, 'POST', `/api/v1/deliveries/${delivery.id}/send-again`);
    expect(refused.status).toBe(409);
  });
});

const call = (as: System, method: string, path: string, body?: unknown) => as.call(method, path, body);
const subscriptions = (number: number) => `/api/v3/accounts/${number}/webhooks/subscriptions`;

async function accountOf(as: System): Promise<number> {
  return (await expectStatus(200, as.call('GET', '/api/v3/accounts'))).body.data[0].id;
}

/** The answer to its creation. */
async function subscribe(url: string, fields: Record<string, unknown> = {}): Promise<any> {
  const body = { name: 'told', client_url: url, event_types: everything, active: true, ...fields };
  return (await expectStatus(201, system.call('POST', subscriptions(account), body))).body.data;
}

async function jobOf({ projectId }: DeployedProject, command = quickCommand) {
  return { projectId, jobId: await createJob(system, projectId, { command }) };
}

/** A run that fails at once, and whose failure is told to the URL alone. */
async function beginBroken(url: string) {
  if (!system.workers.some(isAlive)) await system.startWorker();
  const job = await jobOf(broken);
  const subscription = await subscribe(url, {
    event_types: ['job.run.errored'],
    job_ids: [String(await numberOf(job.jobId))],
  });
  return { subscription, runId: await trigger(system, job) };
}

async function runBroken(url: string) {
  const begun = await beginBroken(url);
  const [delivery] = await until(
    'nothing more is sent',
    () => deliveriesOf(begun.subscription.id),
    ([each]) => each !== undefined && !['pending', 'sending'].includes(each.state),
  );
  return { ...begun, delivery };
}

async function deliveriesOf(subscriptionId: string): Promise<any[]> {
  const path = `/api/v1/webhook-subscriptions/${subscriptionId}/deliveries`;
  return (await expectStatus(200, system.call('GET', path))).body.data;
}

async function allDelivered(runId: string): Promise<void> {
  await until(
    `all that run ${runId} has to tell is told`,
    async () => Object.values(await statesOf(runId)),
    (states) => states.length > 0 && states.every((state) => state === 'delivered'),
  );
}

async function statesOf(runId: string): Promise<Record<string, string>> {
  const listed = await expectStatus(200, system.call('GET', `/api/v1/runs/${runId}/deliveries`));
  return Object.fromEntries(listed.body.data.map(({ event, state }: any) => [event, state]));
}

async function numberOf(jobId: string): Promise<number> {
  return Number((await system.pool.query('SELECT number FROM jobs WHERE id = $1', [jobId])).rows[0].number);
}

async function runOf(runId: string): Promise<any> {
  const { rows } = await system.pool.query(
    `SELECT runs.*, jobs.name AS job_name, projects.name AS project_name, projects.number AS project_number,
       environments.number AS environment_number
     FROM runs JOIN jobs ON jobs.id = job_id JOIN projects ON projects.id = runs.project_id
     JOIN environments ON environments.id = runs.environment_id WHERE runs.id = $1`,
    [runId],
  );
  return rows[0];
}

/** As dbt Cloud's documentation checks it. */
function isSigned(hit: Hit, secret: string): boolean {
  return headerOf(hit, 'authorization') === createHmac('sha256', secret).update(hit.body).digest('hex');
}

async function receive(answer: (response: ServerResponse) => void): Promise<Receiver> {
  const receiver = await startReceiver(answer);
  receivers.push(receiver);
  return receiver;
}

/** One status after the other, and the last one from then on. */
async function answerWith(statuses: number[]): Promise<Receiver> {
  const receiver = await receive((response) => {
    const status = statuses[Math.min(receiver.hits.length, statuses.length) - 1]!;
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
  });
  return receiver;
}

function isAlive({ child }: TestProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function kill(worker: TestProcess): Promise<void> {
  worker.signal('SIGKILL');
  await worker.ended;
}

async function killAll(): Promise<void> {
  await Promise.all(system.workers.filter(isAlive).map(kill));
}
