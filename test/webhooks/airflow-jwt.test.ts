import { createServer, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { textOfRedis } from '../support/messages.ts';
import { expectStatus, type DeployedProject } from '../support/project.ts';
import { listen, type Receiver } from '../support/receiver.ts';
import { secretsIn, storedText } from '../support/stored-text.ts';
import { startSystem, type System } from '../support/system.ts';
import {
  changeJob,
  createWebhookJob,
  deployProjectWithoutImage,
  runAndTell,
  type JobKey,
} from '../support/webhooks.ts';

const password = 'planted-password-61ab';
const secrets: Record<string, string> = { password };

/** What stands in for Airflow 3's API server: it signs people in, and starts a DAG run for whoever has a good token. */
interface Airflow extends Omit<Receiver, 'hits'> {
  dagRuns: string;
  /** How many tokens it has given. */
  tokens: number;
  /** In the order they came: what each POST of a DAG run was answered. */
  answers: { status: number; dagRunId: string }[];
  /** From now on it takes none of the tokens it has given. */
  forgetTokens(): void;
  /** In place of what Airflow answers to a sign-in, or to a DAG run that it takes. */
  signIn: ((response: ServerResponse) => void) | undefined;
  start: ((response: ServerResponse) => void) | undefined;
}

let system: System;
/** Its runs end at once: what becomes of their webhooks is what counts here. */
let project: DeployedProject;
let airflow: Airflow;
/** Every answer the API gave. */
const answers: string[] = [];

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
  airflow = await startAirflow();
});
afterAll(async () => {
  await airflow.close();
  await system.stop();
});

describe('a webhook for Airflow 3', () => {
  test('brings a token that is fetched once and kept, starts one DAG run a run, and is renewed when it is refused', async () => {
    const job = await createAirflowJob();
    const first = await runAndTell(system, job);
    const second = await runAndTell(system, job);
    expect(airflow.tokens).toBe(1);
    for (const { run, delivery } of [first, second]) {
      expect(delivery).toMatchObject({ state: 'delivered', tries: [{ status_code: 200 }] });
      expect(airflow.answers.filter(({ dagRunId }) => dagRunId === `dctl__${run.id}`)).toMatchObject([
        { status: 200 },
      ]);
    }

    airflow.forgetTokens();
    const { run, delivery } = await runAndTell(system, job);
    expect(airflow.tokens).toBe(2);
    const ofRun = airflow.answers.filter(({ dagRunId }) => dagRunId === `dctl__${run.id}`);
    expect(ofRun.map(({ status }) => status)).toEqual([401, 200]);
    // One try, whose row says what happened in it.
    expect(delivery).toMatchObject({
      state: 'delivered',
      tries: [
        {
          status_code: 200,
          explanation:
            'The receiver first answered 401: its token held no longer, so a new one was fetched and the webhook sent again at once. The receiver answered 200.',
        },
      ],
    });
  });

  test('that is delivered again starts no second DAG run', async () => {
    const job = await createAirflowJob();
    let answered = 0;
    // As a proxy in front of it that gives up waiting.
    airflow.start = (response) => response.writeHead(answered++ === 0 ? 504 : 409).end();
    const { run, delivery } = await runAndTell(system, job);
    airflow.start = undefined;
    expect(delivery).toMatchObject({
      state: 'delivered',
      tries: [{ status_code: 504 }, { status_code: 409 }],
    });
    const ids = airflow.answers.slice(-2).map(({ dagRunId }) => dagRunId);
    expect(ids).toEqual([`dctl__${run.id}`, `dctl__${run.id}`]);
  });

  test('is not sent without a token, and says why', async () => {
    const job = await createAirflowJob({ password: 'planted-wrong-61ab' });
    secrets['wrong'] = 'planted-wrong-61ab';
    const before = airflow.answers.length;
    expect((await runAndTell(system, job)).delivery).toMatchObject({
      state: 'failed',
      tries: [
        {
          result: 'failed',
          status_code: null,
          explanation:
            'No token could be fetched: token_url answered 401. Check the username and password of webhook_auth. It is not tried again.',
        },
      ],
    });
    const right = await createAirflowJob({ username: 'other' });
    const cases: [(response: ServerResponse) => void, string[]][] = [
      [
        (response) => response.writeHead(503).end(password),
        [
          'No token could be fetched: token_url answered 503. It is sent once more after 0.2 s.',
          'No token could be fetched: token_url answered 503. It was the last of 2 tries.',
        ],
      ],
      [
        (response) => response.writeHead(422).end(),
        ['No token could be fetched: token_url answered 422. It is not tried again.'],
      ],
      [
        (response) => response.end(`{"token": "${password}"}`),
        ['No token could be fetched: token_url answered 200 without an access_token. It is not tried again.'],
      ],
      [
        () => undefined,
        [
          'No token could be fetched: token_url did not answer in time. It is sent once more after 0.2 s.',
          'No token could be fetched: token_url did not answer in time. It was the last of 2 tries.',
        ],
      ],
    ];
    for (const [signIn, sentences] of cases) {
      airflow.signIn = signIn;
      const { delivery } = await runAndTell(system, right);
      expect(delivery.tries.map(({ explanation }: any) => explanation)).toEqual(sentences);
    }
    airflow.signIn = undefined;
    expect(airflow.answers).toHaveLength(before);
    // Nothing that went wrong is kept.
    expect((await runAndTell(system, right)).delivery.state).toBe('delivered');
  });

  test('fetches no token where webhooks may not go', async () => {
    const job = await createAirflowJob({ token_url: `http://localhost.example:${airflow.port}/auth/token` });
    const { delivery } = await runAndTell(system, job);
    expect(delivery.tries[0].explanation).toMatch(
      /^No token could be fetched: The name of the host could not be resolved/,
    );
    for (const token_url of ['http://10.1.2.3/auth/token', 'http://127.0.0.2/auth/token', 'ftp://127.0.0.1/'])
      expect(await changeJob(system, job, { webhook_auth: { ...signIn, token_url } })).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '/webhook_auth/token_url' }] },
      });
  });
});

describe('the sign-in of a job', () => {
  test('is shown without its password, which *** keeps, goes to no other host, and is removed by null', async () => {
    const job = await createAirflowJob();
    const path = `/api/v1/projects/${job.projectId}/jobs/${job.jobId}`;
    const shown = (await expectStatus(200, system.call('GET', path))).body.webhook_auth;
    const token_url = new URL('/auth/token', airflow.url).href;
    expect(shown).toEqual({ type: 'airflow_jwt', token_url, username: 'dctl', password: '***' });
    await expectStatus(200, changeJob(system, job, { webhook_auth: { ...shown, username: 'renamed' } }));
    const before = airflow.tokens;
    expect((await runAndTell(system, job)).delivery.state).toBe('delivered');
    expect(airflow.tokens).toBe(before + 1);

    const elsewhere = { ...shown, token_url: 'https://example.com/auth/token' };
    expect(await changeJob(system, job, { webhook_auth: elsewhere })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/webhook_auth/password' }] },
    });
    const webhook_url = 'https://example.com/api/v2/dags/downstream/dagRuns';
    expect((await changeJob(system, job, { webhook_url, webhook_auth: shown })).status).toBe(400);
    const moved = await expectStatus(200, changeJob(system, job, { webhook_url }));
    expect(moved.body.webhook_auth).toBeNull();
    await expectStatus(200, changeJob(system, job, { webhook_auth: signIn }));
    const removed = await expectStatus(200, changeJob(system, job, { webhook_auth: null }));
    expect(removed.body.webhook_auth).toBeNull();
  });

  test.each([
    ['Airflow 2', { webhook_url: 'https://example.com/api/v1/dags/d/dagRuns' }, '/webhook_auth/type'],
    ['no Airflow', { webhook_url: 'https://example.com/hook' }, '/webhook_auth/type'],
    ['no URL', { webhook_url: null, webhook_enabled: false }, '/webhook_auth'],
    ['a second Authorization', { webhook_headers: { authorization: 'Basic eA==' } }, '/webhook_auth'],
  ])('with %s is refused', async (_what, fields, pointer) => {
    const job = await createWebhookJob(system, project, airflow.dagRuns);
    const refused = await changeJob(system, job, { ...fields, webhook_auth: signIn });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
  });
});

test('no password and no token is in any answer, log line, message or table', async () => {
  const job = await createAirflowJob();
  await runAndTell(system, job);
  await expectStatus(
    200,
    system.call('GET', `/api/v1/projects/${job.projectId}/jobs/${job.jobId}/deliveries`),
  );
  expect(Object.keys(secrets).length).toBeGreaterThan(3);
  expect(secretsIn(answers.join('\n'), secrets)).toEqual([]);
  const lines = [system.api, ...system.workers].flatMap((each) =>
    each.lines.map((line) => JSON.stringify(line)),
  );
  expect(secretsIn(lines.join('\n'), secrets)).toEqual([]);
  const stored = [await storedText(system.pool), await textOfRedis(system)].join('\n');
  expect(stored).toContain(job.jobId);
  expect(secretsIn(stored, secrets)).toEqual([]);
});

const signIn = { type: 'airflow_jwt', username: 'dctl', password };

function createAirflowJob(fields: Record<string, unknown> = {}): Promise<JobKey> {
  return createWebhookJob(system, project, airflow.dagRuns, { webhook_auth: { ...signIn, ...fields } });
}

/** As Airflow 3.3 answered, measured on a real one. What it is sent it repeats, as a careless one would. */
async function startAirflow(): Promise<Airflow> {
  const given = new Set<string>();
  const started = new Set<string>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    if (request.url === '/auth/token') {
      if (made.signIn !== undefined) return made.signIn(response);
      if (body.password !== password) return void response.writeHead(401).end(JSON.stringify(body));
      made.tokens += 1;
      const token = jwt.sign({ sub: body.username, number: made.tokens }, 'of Airflow', {
        expiresIn: '1 day',
      });
      given.add(token);
      secrets[`token ${made.tokens}`] = token;
      return void response.writeHead(201).end(JSON.stringify({ access_token: token }));
    }
    const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    const dagRunId = String(body.dag_run_id);
    const answer = (status: number) => {
      made.answers.push({ status, dagRunId });
      response
        .writeHead(status)
        .end(JSON.stringify({ headers: request.headers, rawHeaders: request.rawHeaders }));
    };
    if (!given.has(token)) return answer(401);
    if (made.start !== undefined) {
      made.answers.push({ status: 0, dagRunId });
      return made.start(response);
    }
    if (body.logical_date !== null) return answer(422);
    answer(started.has(dagRunId) ? 409 : 200);
    started.add(dagRunId);
  });
  const listening = await listen(server);
  const made: Airflow = {
    ...listening,
    dagRuns: new URL('/api/v2/dags/downstream/dagRuns', listening.url).href,
    tokens: 0,
    answers: [],
    forgetTokens: () => given.clear(),
    signIn: undefined,
    start: undefined,
  };
  return made;
}
