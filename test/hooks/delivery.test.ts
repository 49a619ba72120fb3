import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { readConfig } from '../../src/config.ts';
import { tellHooks } from '../../src/hooks/tell-hooks.ts';
import { createLog } from '../../src/log.ts';
import { openContext } from '../../src/open-context.ts';
import { factsOfRun } from '../../src/runs/facts-of-run.ts';
import { textOfRedis } from '../support/messages.ts';
import { asAnotherOrganization } from '../support/organization.ts';
import {
  createJob,
  deployProject,
  ended,
  expectStatus,
  trigger,
  type DeployedProject,
} from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { secretsIn, storedText } from '../support/stored-text.ts';
import { startSystem, type Answer, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { bodyOf, deployProjectWithoutImage, headerOf, quickCommand } from '../support/webhooks.ts';

const secrets: Record<string, string> = {
  token: 'planted-"token"-9d1f',
  inUrl: 'planted-in-url-51c2',
  literal: 'planted-literal-77e0',
  password: 'planted-password-0a4b',
};

let system: System;
/** Its runs end at once, as an error. */
let project: DeployedProject;
/** Every answer the API gave. */
const answers: string[] = [];
const receivers: Receiver[] = [];

beforeAll(async () => {
  system = await startSystem({
    environment: {
      DCTL_LOG_LEVEL: 'debug',
      DCTL_WEBHOOK_RETRY_SECONDS: '0.2',
      DCTL_WEBHOOK_TIMEOUT_SECONDS: '2',
      DCTL_WEBHOOK_ALLOW_CIDRS: '127.0.0.1/32',
    },
  });
  const { call } = system;
  system.call = async (...request) => {
    const answer = await call(...request);
    answers.push(answer.text);
    return answer;
  };
  project = await deployProjectWithoutImage(system);
  await newValue('secrets', 'token', secrets['token']!);
  await newValue('secrets', 'in_url', secrets['inUrl']!);
});
afterEach(async () => {
  await Promise.all(receivers.splice(0).map((receiver) => receiver.close()));
});
afterAll(() => system.stop());

async function receive(
  answer: (response: ServerResponse, request: IncomingMessage, hit: number) => void = (response) =>
    response.end(),
): Promise<Receiver> {
  const receiver = await startReceiver((response, request) =>
    answer(response, request, receiver.hits.length),
  );
  receivers.push(receiver);
  return receiver;
}

async function newValue(kind: 'variables' | 'secrets', name: string, value: string): Promise<string> {
  const path = `/api/v1/orchestration/${kind}`;
  return (await expectStatus(201, system.call('POST', path, { name, value }))).body.id;
}

interface Job {
  projectId: string;
  jobId: string;
  name: string;
}

async function newJob(): Promise<Job> {
  const name = `job ${randomUUID()}`;
  const jobId = await createJob(system, project.projectId, { name, command: quickCommand });
  return { projectId: project.projectId, jobId, name };
}

async function newHook(job: Job | null, fields: Record<string, unknown>): Promise<any> {
  const wanted = { jobs: job === null ? [] : [job.jobId], ...fields };
  return (await expectStatus(201, system.call('POST', '/api/v1/hooks', wanted))).body;
}

const change = (hook: any, fields: unknown) => system.call('PATCH', `/api/v1/hooks/${hook.id}`, fields);

/** A hook's deliveries, newest first, once nothing more is sent. */
async function endsOf(hook: { id: string }, count = 1): Promise<any[]> {
  return until(
    `${count} deliveries of the hook have ended`,
    async () => (await system.call('GET', `/api/v1/hooks/${hook.id}/deliveries`)).body.data,
    (all: any[]) => all.length === count && all.every(({ state }) => !['pending', 'sending'].includes(state)),
    30_000,
  );
}

async function runOnce(job: Job, body?: unknown): Promise<any> {
  return ended(system, await trigger(system, job, body));
}

const sendAgain = (id: string): Promise<Answer> => system.call('POST', `/api/v1/deliveries/${id}/send-again`);

describe('a hook', () => {
  test('is sent as it was written, with values in place and without a signature', async () => {
    const receiver = await receive((response) => response.writeHead(201).end('made'));
    const job = await newJob();
    const hook = await newHook(job, {
      method: 'PUT',
      url: `${receiver.url}/\${{secrets.in_url}}/\${{run.TABLE_NAME}}?rows=\${{run.ROWS}}`,
      header: {
        Authorization: 'Bearer ${{secrets.token}}',
        'X-Literal': secrets['literal'],
        'X-Run': '${{run.ID}}',
        'Content-Type': 'application/vnd.ours+json',
      },
      body: {
        cause: '${{erathos.STATUS}} of ${{erathos.TABLE_NAME}}',
        nested: [{ token: '${{secrets.token}}', command: '${{run.COMMAND}}' }, 1, null],
      },
      rules: [
        { variable_name: 'STATUS', operation: 'IN', value: 'ERROR,FAILED' },
        { variable_name: 'JOB_NAME', operation: 'EQUAL', value: job.name },
      ],
    });
    const run = await runOnce(job, { cause: 'ümlaut' });
    const [delivery] = await endsOf(hook);
    const [hit] = receiver.hits;
    expect(receiver.hits).toHaveLength(1);
    expect(hit).toMatchObject({ method: 'PUT' });
    expect(hit!.url).toBe(`/hook/${secrets['inUrl']}/${encodeURIComponent(job.name)}?rows=0`);
    expect(bodyOf(hit!)).toEqual({
      cause: `ERROR of ${job.name}`,
      nested: [{ token: secrets['token'], command: quickCommand }, 1, null],
    });
    expect(Object.fromEntries(namesAndValues(hit!.rawHeaders))).toEqual({
      authorization: `Bearer ${secrets['token']}`,
      'x-literal': secrets['literal'],
      'x-run': run.id,
      'content-type': 'application/vnd.ours+json',
      'user-agent': 'dctl',
      'webhook-id': delivery.id,
      'idempotency-key': delivery.id,
      'content-length': String(hit!.body.length),
      host: `127.0.0.1:${receiver.port}`,
      connection: 'close',
    });
    expect(delivery).toMatchObject({
      kind: 'hook',
      hook_id: hook.id,
      subscription_id: null,
      run_id: run.id,
      job_id: job.jobId,
      event: 'job.failed',
      url: `${receiver.url}/***/${encodeURIComponent(job.name)}?rows=0`,
      state: 'delivered',
      tries: [{ number: 1, status_code: 201, answer: 'made', result: 'answered' }],
    });
    for (const path of [`/api/v1/runs/${run.id}`, `/api/v1/projects/${job.projectId}/jobs/${job.jobId}`])
      expect((await system.call('GET', `${path}/deliveries`)).body.data).toEqual([delivery]);
    const { body: shown } = (await system.call('GET', `/api/v1/deliveries/${delivery.id}`)).body;
    expect(JSON.parse(shown)).toEqual({
      cause: `ERROR of ${job.name}`,
      nested: [{ token: '***', command: quickCommand }, 1, null],
    });
  });

  test.each([
    ['GET', undefined],
    ['DELETE', undefined],
    ['POST', '0'],
  ])('%s without a body says so: content-length %p', async (method, length) => {
    const receiver = await receive();
    const job = await newJob();
    const header = { 'Idempotency-Key': 'run-${{run.ID}}' };
    const hook = await newHook(job, { method, url: receiver.url, header });
    const run = await runOnce(job);
    await endsOf(hook);
    const headers = Object.fromEntries(namesAndValues(receiver.hits[0]!.rawHeaders));
    expect(receiver.hits[0]).toMatchObject({ method, body: Buffer.alloc(0) });
    expect(headers['content-length']).toBe(length);
    expect(headers['content-type']).toBeUndefined();
    expect(headers['transfer-encoding']).toBeUndefined();
    expect(headers['idempotency-key']).toBe(`run-${run.id}`);
  });

  test('is sent for runs of its jobs alone, while it is there and switched on, and its rules hold', async () => {
    const receiver = await receive();
    const [job, other] = [await newJob(), await newJob()];
    const at = (path: string) => ({ url: `${receiver.url}/${path}` });
    const rules = [{ variable_name: 'STATUS', operation: 'EQUAL', value: 'FINISHED' }];
    await newHook(job, { ...at('rules'), rules });
    await newHook(job, { ...at('off'), is_active: false });
    await newHook(other, at('other'));
    const deleted = await newHook(job, at('deleted'));
    await expectStatus(204, system.call('DELETE', `/api/v1/hooks/${deleted.id}`));
    const stranger = await asAnotherOrganization(system);
    await expectStatus(201, stranger.call('POST', '/api/v1/hooks', at('stranger')));
    const [own, any] = [await newHook(job, at('own')), await newHook(null, at('any'))];
    try {
      await runOnce(job);
      await Promise.all([endsOf(own), endsOf(any)]);
      expect(receiver.hits.map(({ url }) => url).toSorted()).toEqual(['/hook/any', '/hook/own']);
    } finally {
      await system.call('DELETE', `/api/v1/hooks/${any.id}`);
    }
  });

  test('of a run that succeeded hears of that, with the rows it brought', async () => {
    const receiver = await receive();
    const real = await deployProject(system);
    const jobId = await createJob(system, real.projectId, { command: 'dbt seed' });
    const hook = await newHook(
      { ...real, jobId, name: '' },
      {
        url: receiver.url,
        body: {
          event: '${{run.EVENT}}',
          status: '${{run.STATUS}}',
          rows: '${{run.ROWS}}',
          by: '${{run.TRIGGERED_BY}}',
        },
        rules: [
          { variable_name: 'STATUS', operation: 'EQUAL', value: 'FINISHED' },
          { variable_name: 'DURATION_SECONDS', operation: 'GREATER_THAN', value: '0' },
        ],
      },
    );
    const run = await ended(system, await trigger(system, { ...real, jobId }));
    await endsOf(hook);
    const { rows } = await system.pool.query(
      'SELECT COALESCE(sum(rows_affected) FILTER (WHERE rows_affected >= 0), 0)::text AS rows FROM node_results WHERE run_id = $1',
      [run.id],
    );
    expect(bodyOf(receiver.hits[0]!)).toEqual({
      event: 'job.completed',
      status: 'FINISHED',
      rows: rows[0].rows,
      by: 'manual',
    });
  });

  test('is tried once more where its receiver failed, with the same id', async () => {
    const receiver = await receive((response, _request, hit) =>
      response.writeHead(hit === 1 ? 503 : 200).end(),
    );
    const job = await newJob();
    const hook = await newHook(job, { url: receiver.url, body: { id: '${{run.ID}}' } });
    await runOnce(job);
    const [delivery] = await endsOf(hook);
    expect(delivery).toMatchObject({
      state: 'delivered',
      tries: [{ status_code: 503 }, { status_code: 200 }],
    });
    const keys = receiver.hits.map((hit) => headerOf(hit, 'idempotency-key'));
    expect(keys).toEqual([delivery.id, delivery.id]);
    expect(receiver.hits[0]!.body).toEqual(receiver.hits[1]!.body);
  });

  test('signs in to an Airflow 3, and takes its 409 for what it is', async () => {
    const token = jwt.sign({ sub: 'dctl' }, 'of Airflow', { expiresIn: '1 day' });
    secrets['airflow token'] = token;
    const asked: string[] = [];
    const airflow = await receive((response, request, hit) => {
      if (request.url === '/auth/token')
        return void response.writeHead(201).end(JSON.stringify({ access_token: token }));
      asked.push(`${request.method} ${request.headers.authorization}`);
      // The first came, and nobody heard of that.
      if (hit === 2) return void response.destroy();
      response.writeHead(409).end(JSON.stringify(request.headers));
    });
    const job = await newJob();
    const hook = await newHook(job, {
      url: new URL('/api/v2/dags/downstream/dagRuns', airflow.url).href,
      auth: { type: 'airflow_jwt', username: 'dctl', password: secrets['password'] },
      body: { dag_run_id: 'after-${{run.ID}}', logical_date: null, conf: {} },
    });
    await runOnce(job);
    const [delivery] = await endsOf(hook);
    expect(delivery).toMatchObject({
      state: 'delivered',
      tries: [{ result: 'failed' }, { status_code: 409 }],
    });
    expect(asked).toEqual([`POST Bearer ${token}`, `POST Bearer ${token}`]);
    const again = await expectStatus(202, sendAgain(delivery.id));
    expect((await endsOf(hook, 2))[0]).toMatchObject({ id: again.body.id, state: 'delivered' });
    expect(bodyOf(airflow.hits[0]!)).toEqual({ username: 'dctl', password: secrets['password'] });
  });
});

describe('what cannot be sent', () => {
  test('is a blocked delivery that says why; the run ends, and the others are sent', async () => {
    const receiver = await receive();
    const job = await newJob();
    const inside = await newValue('variables', 'inside', 'http://127.0.0.1:9');
    const gone = await newValue('secrets', 'gone', 'x');
    const long = await newValue('variables', 'long', 'x');
    const many = (count: number) => '${{variables.long}}'.repeat(count);
    const hooks = {
      header: await newHook(job, { url: receiver.url, header: { 'X-Cause': '${{run.CAUSE}}' } }),
      moved: await newHook(job, { url: '${{variables.inside}}/x', body: { a: '${{secrets.token}}' } }),
      key: await newHook(job, { url: receiver.url, body: { a: '${{secrets.gone}}' } }),
      headers: await newHook(job, { url: receiver.url }),
      rules: await newHook(job, { url: receiver.url }),
      url: await newHook(job, { url: `${receiver.url}/${many(90)}` }),
      body: await newHook(job, { url: receiver.url, body: { texts: many(90) } }),
      path: await newHook(job, { url: `${receiver.url}/\${{run.CAUSE}}/x` }),
    };
    const last = await newHook(job, { url: receiver.url, body: { cause: '${{run.CAUSE}}' } });
    await expectStatus(
      200,
      system.call('PATCH', `/api/v1/orchestration/variables/${inside}`, { value: 'http://10.0.0.1' }),
    );
    await expectStatus(
      200,
      system.call('PATCH', `/api/v1/orchestration/variables/${long}`, { value: 'x'.repeat(10_000) }),
    );
    await system.pool.query(`UPDATE orchestration_secrets SET value = 'broken' WHERE id = $1`, [gone]);
    await system.pool.query(`UPDATE hooks SET headers = 'broken' WHERE id = $1`, [hooks.headers.id]);
    await system.pool.query(`UPDATE hooks SET rules = '"broken"' WHERE id = $1`, [hooks.rules.id]);

    const run = await runOnce(job, { cause: 'one\r\nX-Evil: two' });
    expect(run.status).toBe('error');
    const why: Record<string, any> = {};
    for (const [name, hook] of Object.entries(hooks).filter(([each]) => each !== 'path')) {
      const [delivery] = await endsOf(hook);
      expect(delivery).toMatchObject({
        state: 'blocked',
        tries: [{ number: 1, result: 'blocked', status_code: null }],
      });
      why[name] = delivery.tries[0].explanation;
      expect(delivery.url.length).toBeLessThanOrEqual(4_000);
      await expectStatus(409, sendAgain(delivery.id));
    }
    expect(why).toEqual({
      header: expect.stringMatching(
        /^header\/X-Cause: Write the value in visible ASCII.* Nothing was sent\.$/,
      ),
      moved: expect.stringMatching(/^url: .*it is a private address/),
      key: expect.stringContaining('The secret gone was sealed with another DCTL_SECRET_KEY'),
      url: expect.stringContaining('url: Shorten the URL'),
      body: expect.stringMatching(/^body: .* longer than 256 KiB/),
      headers: expect.stringContaining('could not be put together'),
      rules: expect.stringContaining('could not be put together'),
    });
    expect((await endsOf(last))[0]).toMatchObject({ state: 'delivered' });
    expect((await endsOf(hooks.path))[0]).toMatchObject({ state: 'delivered' });
    expect(receiver.hits.map(({ url }) => url).toSorted()).toEqual([
      '/hook',
      '/hook/one%0D%0AX-Evil%3A%20two/x',
    ]);
    // Nothing that is broken may stay in the way of what looks through all hooks.
    await system.pool.query(
      'DELETE FROM delivery_tries WHERE delivery_id IN (SELECT id FROM deliveries WHERE hook_id = ANY($1))',
      [[hooks.headers.id, hooks.rules.id]],
    );
    await system.pool.query('DELETE FROM deliveries WHERE hook_id = ANY($1)', [
      [hooks.headers.id, hooks.rules.id],
    ]);
    await system.pool.query('DELETE FROM hooks WHERE id = ANY($1)', [[hooks.headers.id, hooks.rules.id]]);
    for (const hook of [...Object.values(hooks), last])
      await system.call('DELETE', `/api/v1/hooks/${hook.id}`);
  });
});

describe('a hook sent again', () => {
  test('is the same request with an id of its own, whatever the hook has become', async () => {
    const receiver = await receive((response) => response.writeHead(404).end());
    const job = await newJob();
    const variable = await newValue('variables', 'changing', 'before');
    const hook = await newHook(job, {
      method: 'PATCH',
      url: `${receiver.url}/\${{secrets.in_url}}`,
      header: { 'X-Ours': '${{variables.changing}}', 'X-Literal': secrets['literal'] },
      body: { a: '${{variables.changing}} ${{secrets.token}}' },
    });
    const run = await runOnce(job);
    const [first] = await endsOf(hook);
    expect(first.state).toBe('failed');
    await expectStatus(
      200,
      system.call('PATCH', `/api/v1/orchestration/variables/${variable}`, { value: 'after' }),
    );
    await expectStatus(200, change(hook, { method: 'POST', body: { b: 1 } }));

    const asked = await expectStatus(202, sendAgain(first.id));
    expect(asked.body).toMatchObject({
      kind: 'sent_again',
      hook_id: hook.id,
      run_id: run.id,
      url: first.url,
      sent_again_of: first.id,
    });
    await endsOf(hook, 2);
    const [one, other] = receiver.hits;
    expect(other).toMatchObject({ method: 'PATCH', url: one!.url, body: one!.body });
    const differing = new Set(['webhook-id', 'idempotency-key']);
    const same = (hit: typeof one) =>
      namesAndValues(hit!.rawHeaders).filter(([name]) => !differing.has(name));
    expect(same(other)).toEqual(same(one));
    expect(headerOf(other!, 'webhook-id')).toBe(asked.body.id);
    expect(headerOf(other!, 'idempotency-key')).toBe(asked.body.id);

    await expectStatus(200, change(hook, { is_active: false }));
    expect((await expectStatus(409, sendAgain(first.id))).body.detail).toContain('switched off');
    await expectStatus(204, system.call('DELETE', `/api/v1/hooks/${hook.id}`));
    expect((await expectStatus(409, sendAgain(first.id))).body.detail).toContain('deleted');
  });
});

test('a run is told to a hook once, whoever tells of it twice', async () => {
  const receiver = await receive();
  const job = await newJob();
  const hook = await newHook(job, { url: receiver.url });
  const run = await runOnce(job);
  await endsOf(hook);
  const context = openContext(readConfig(system.environment), createLog('setup', 'error'));
  try {
    const { organizationId } = system;
    const again = await context.db.$transaction((tx) =>
      tellHooks(
        tx,
        context,
        { id: run.id, jobId: job.jobId, organizationId },
        async () => (await factsOfRun(tx, organizationId, run.id))!,
      ),
    );
    expect(again).toEqual([]);
  } finally {
    await context.close();
  }
  expect(await endsOf(hook)).toHaveLength(1);
  expect(receiver.hits).toHaveLength(1);
});

test('a run that another one took the place of is told to nobody; one that was cancelled is', async () => {
  const job = await newJob();
  const hook = await newHook(job, { url: 'http://127.0.0.1:9/' });
  // Nobody takes these.
  const wait = (id: string) =>
    system.pool.query(`UPDATE runs SET not_before = now() + interval '1 hour' WHERE id = $1`, [id]);
  await system.call('PATCH', `/api/v1/projects/${job.projectId}/jobs/${job.jobId}`, { max_parallel_runs: 1 });
  const busy = await trigger(system, job, { command_override: 'dbt compile' });
  await ended(system, busy);
  await endsOf(hook);
  await system.pool.query(
    `INSERT INTO runs SELECT (jsonb_populate_record(runs, jsonb_build_object('id', id || '-busy', 'number', number + 1000000,
       'status', 'running', 'lease_token', 'w', 'lease_expires_at', now() + interval '1 hour', 'finished_at', NULL))).*
     FROM runs WHERE id = $1`,
    [busy],
  );
  await system.call('PATCH', `/api/v1/projects/${job.projectId}/jobs/${job.jobId}`, { replace_queued: true });
  const first = await trigger(system, job);
  await wait(first);
  const second = await trigger(system, job);
  expect((await system.call('GET', `/api/v1/runs/${first}`)).body.status_reason).toBe('replaced');
  await expectStatus(200, system.call('POST', `/api/v1/runs/${second}/cancel`));
  await system.pool.query('DELETE FROM runs WHERE id = $1', [`${busy}-busy`]);
  const told = (await endsOf(hook, 2)).map(({ run_id }) => run_id);
  expect(told).toEqual([second, busy]);
});

test('a receiver that repeats what it was sent shows no secret to readers of the delivery', async () => {
  const receiver = await receive((response, request) => {
    const { body } = receiver.hits.at(-1)!;
    const again = JSON.stringify({ data: body.toString() });
    response.end(`${request.url}\n${JSON.stringify(request.headers)}\n${body.toString()}\n${again}`);
  });
  const job = await newJob();
  const hook = await newHook(job, {
    url: `${receiver.url}/\${{secrets.in_url}}`,
    header: { Authorization: 'Token ${{secrets.token}}', 'X-Literal': `Basic ${secrets['literal']}` },
    body: { token: '${{secrets.token}}', plain: 'stays' },
  });
  await runOnce(job);
  const [delivery] = await endsOf(hook);
  const [{ answer }] = delivery.tries;
  expect(answer).toContain('"plain":"stays"');
  expect(answer).toContain('/hook/***');
  expect(answer).toContain('{"data":"{\\"token\\":\\"***\\"');
  expect(secretsIn(answer, secrets)).toEqual([]);
});

test('a planted secret is in no answer, no table, no message and no log line', async () => {
  expect(secretsIn(answers.join('\n'), secrets)).toEqual([]);
  const stored = await storedText(system.pool);
  expect(stored).toContain('"kind":"hook"');
  expect(secretsIn(stored, secrets)).toEqual([]);
  expect(secretsIn(await textOfRedis(system), secrets)).toEqual([]);
  const lines = JSON.stringify([system.api, ...system.workers].flatMap((each) => each.lines));
  expect(lines).toContain('webhook ended');
  expect(secretsIn(lines, secrets)).toEqual([]);
});

/** In lower case, in the order they came. */
function namesAndValues(rawHeaders: string[]): [string, string][] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1]!] as [string, string]] : [],
  );
}
