import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSecrets } from '../../src/secrets.ts';
import { createJob, deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
});
afterAll(() => system.stop());

const password = 'Basic c2VjcmV0LW9mLWFpcmZsb3c=';
const url = 'https://airflow.example.com/api/v1/dags/one/dagRuns';

async function jobWithWebhook(): Promise<string> {
  const jobId = await createJob(system, project.projectId, {
    webhook_enabled: true,
    webhook_url: url,
    webhook_headers: { Authorization: password, 'X-Team': 'data' },
  });
  return `/api/v1/projects/${project.projectId}/jobs/${jobId}`;
}

const idOf = (path: string) => path.split('/').at(-1)!;

/** The job's headers and secret as the database holds them, and opened. */
async function stored(
  path: string,
): Promise<{ row: string; headers: Record<string, string>; secret: string | null }> {
  const id = idOf(path);
  const { rows } = await system.pool.query(
    'SELECT row_to_json(jobs)::text AS row, webhook_headers, webhook_secret FROM jobs WHERE id = $1',
    [id],
  );
  const { row, webhook_headers: headers, webhook_secret: secret } = rows[0];
  const { open } = createSecrets(system.environment['DCTL_SECRET_KEY']!);
  return {
    row,
    headers: headers === null ? {} : JSON.parse(open(headers, `jobs:${id}:webhook_headers`)),
    secret: secret === null ? null : open(secret, `jobs:${id}:webhook_secret`),
  };
}

describe("a job's webhook headers", () => {
  test('are shown by name only, and are in no answer nor in the database in clear', async () => {
    const path = await jobWithWebhook();
    const answers = [
      await system.call('GET', path),
      await system.call('PATCH', path, {}),
      await system.call('GET', path.slice(0, path.lastIndexOf('/'))),
    ];
    expect(answers[0]!.body.webhook_headers).toEqual({ Authorization: '***', 'X-Team': '***' });
    const { row, secret } = await stored(path);
    expect(secret).toMatch(/^whsec_/);
    for (const text of [...answers.map((answer) => answer.text), row]) {
      expect(text).not.toContain(password.slice(6));
      expect(text).not.toContain('whsec_');
    }
  });

  test('sent back as they were shown keep their values; one left out is dropped, a new one added', async () => {
    const path = await jobWithWebhook();
    const { body } = await system.call('GET', path);
    await expectStatus(200, system.call('PATCH', path, { webhook_headers: body.webhook_headers }));
    expect((await stored(path)).headers).toEqual({ Authorization: password, 'X-Team': 'data' });
    await expectStatus(
      200,
      system.call('PATCH', path, { webhook_headers: { Authorization: '***', 'X-New': 'n' } }),
    );
    expect((await stored(path)).headers).toEqual({ Authorization: password, 'X-New': 'n' });
  });

  test.each(['X-Unknown', 'constructor', 'toString'])(
    'sent as *** without a stored value are 400: %s',
    async (name) => {
      const answer = await system.call('PATCH', await jobWithWebhook(), {
        webhook_headers: { [name]: '***' },
      });
      expect(answer).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: `/webhook_headers/${name}` }] },
      });
    },
  );

  test.each([
    'https://attacker.example.com/api/v1/dags/one/dagRuns',
    'http://airflow.example.com/api/v1/dags/one/dagRuns',
    'https://airflow.example.com:8443/api/v1/dags/one/dagRuns',
  ])('are forgotten when the URL moves to another origin: %s', async (elsewhere) => {
    const path = await jobWithWebhook();
    const before = await system.call('PATCH', path, {
      webhook_url: elsewhere,
      webhook_headers: { Authorization: '***' },
    });
    expect(before.status).toBe(400);
    const { body } = await system.call('PATCH', path, { webhook_url: elsewhere });
    expect(body.webhook_headers).toEqual({});
    expect((await stored(path)).headers).toEqual({});
  });

  test('are forgotten with the URL: no later URL gets them, not even the same', async () => {
    const path = await jobWithWebhook();
    await expectStatus(200, system.call('PATCH', path, { webhook_enabled: false, webhook_url: null }));
    expect((await stored(path)).headers).toEqual({});
    for (const later of ['https://attacker.example.com/', url]) {
      const { body } = await expectStatus(200, system.call('PATCH', path, { webhook_url: later }));
      expect(body.webhook_headers).toEqual({});
    }
    // Headers kept for a URL that is yet to come go to whoever sends both.
    await expectStatus(
      200,
      system.call('PATCH', path, { webhook_url: null, webhook_headers: { 'X-Key': 'k' } }),
    );
    await expectStatus(200, system.call('PATCH', path, { webhook_url: 'https://attacker.example.com/' }));
    expect((await stored(path)).headers).toEqual({});
  });

  test('stay when the URL changes within its origin', async () => {
    const path = await jobWithWebhook();
    await expectStatus(200, system.call('PATCH', path, { webhook_url: url.replace('one', 'two') }));
    expect((await stored(path)).headers).toEqual({ Authorization: password, 'X-Team': 'data' });
  });

  test.each([
    { 'X-Dagctl-Signature': 'sha256=0' },
    { Host: 'evil.example.com' },
    { 'content-length': '5' },
    { 'Content-Type': 'text/plain' },
    { 'webhook-id': 'mine' },
    { 'X-A': 'a\r\nX-Dagctl-Event: forged' },
    { 'X-A': 'ümlaut' },
    { 'X-A': '' },
    { 'X A': 'a' },
    { 'x-a': 'a', 'X-A': 'b' },
    { 'X-A': 5 },
  ])('are refused as %j', async (headers) => {
    const path = await jobWithWebhook();
    const answer = await system.call('PATCH', path, { webhook_headers: headers });
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toMatch(/^\/webhook_headers\//);
    expect((await stored(path)).headers).toEqual({ Authorization: password, 'X-Team': 'data' });
  });
});

describe("a job's signing secret", () => {
  test('is made anew when the URL changes, and only then', async () => {
    const path = await jobWithWebhook();
    const { secret: first } = await stored(path);
    await expectStatus(200, system.call('PATCH', path, { webhook_url: url, webhook_events: ['failed'] }));
    expect((await stored(path)).secret).toBe(first);
    await expectStatus(200, system.call('PATCH', path, { webhook_url: url.replace('one', 'two') }));
    const { secret: second } = await stored(path);
    expect(second).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(second).not.toBe(first);
  });

  test('is gone with the URL', async () => {
    const path = await jobWithWebhook();
    await expectStatus(200, system.call('PATCH', path, { webhook_enabled: false, webhook_url: null }));
    expect(await stored(path)).toMatchObject({ secret: null });
  });
});

describe("a job's webhook", () => {
  test('cannot be enabled without a URL, nor lose its URL while it is enabled', async () => {
    const bare = `/api/v1/projects/${project.projectId}/jobs/${await createJob(system, project.projectId, {})}`;
    const wanted = { status: 400, body: { errors: [{ pointer: '/webhook_url' }] } };
    expect(await system.call('PATCH', bare, { webhook_enabled: true })).toMatchObject(wanted);
    expect(await system.call('PATCH', await jobWithWebhook(), { webhook_url: null })).toMatchObject(wanted);
  });

  test.each([
    'example.com',
    'ftp://example.com/',
    'https://user:password@example.com/',
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/',
    'http://[::1]/',
    'https://example.com/#part',
    '',
  ])('is not sent to %p', async (refused) => {
    const path = await jobWithWebhook();
    const answer = await system.call('PATCH', path, { webhook_url: refused });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '/webhook_url' }] } });
    expect((await system.call('GET', path)).body.webhook_url).toBe(url);
  });

  test.each([
    ['webhook_url', { webhook_url: 'https://user:word@example.com/' }, 'send them in webhook_headers'],
    [
      'webhook_auth/token_url',
      {
        webhook_url: 'https://example.com/api/v2/dags/d/dagRuns',
        webhook_auth: {
          type: 'airflow_jwt',
          token_url: 'https://user:word@example.com/auth/token',
          username: 'user',
          password: 'word',
        },
      },
      'they are username and password of webhook_auth',
    ],
  ])('says where the password belongs that stands in its %s', async (pointer, fields, advice) => {
    const answer = await system.call('PATCH', await jobWithWebhook(), fields);
    const detail = expect.stringContaining(advice);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: `/${pointer}`, detail }] } });
  });

  test('knows three events', async () => {
    const path = await jobWithWebhook();
    expect(
      (await system.call('PATCH', path, { webhook_events: ['completed', 'failed', 'partial'] })).status,
    ).toBe(200);
    expect((await system.call('PATCH', path, { webhook_events: ['job.completed'] })).status).toBe(400);
  });
});
