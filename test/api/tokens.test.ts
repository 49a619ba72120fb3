import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { isWellFormedToken, newToken } from '../../src/tokens/token.ts';
import { insertToken, withToken } from '../support/organization.ts';
import { startProcess, type TestProcess } from '../support/process.ts';
import { deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { call, startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

let system: System;
let project: DeployedProject;
/** A second API process on the same database, which trusts no proxy. */
let second: TestProcess;
let secondUrl: string;

beforeAll(async () => {
  system = await startSystem({ workers: 0, environment: { DCTL_TRUSTED_PROXIES: '127.0.0.1' } });
  project = await deployProject(system);
  second = startProcess('dist/src/main.js', { ...system.environment, DCTL_TRUSTED_PROXIES: '' });
  const { address } = (await second.said('serving')) as { address: { port: number } };
  secondUrl = `http://127.0.0.1:${address.port}`;
});
afterAll(async () => {
  second.signal('SIGTERM');
  await second.ended;
  await system.stop();
});

const aMinute = 60_000;
const tokens = '/api/v1/tokens';
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const withAuthorization = (authorization: string) =>
  system.call('GET', '/api/v1/projects', undefined, { authorization });

describe('a token that is not valid', () => {
  const mistyped = (token: string) => token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');

  test('gets one and the same 401, whatever is wrong with it', async () => {
    const wrong = [
      mistyped(system.token),
      newToken(),
      await insertToken(system, { revokedAt: new Date() }),
      await insertToken(system, { expiresAt: new Date(Date.now() - aMinute) }),
      'dctl_',
      'x'.repeat(5_000),
      system.token.toLowerCase(),
    ];
    const answers = await Promise.all(wrong.map((token) => withAuthorization(`Bearer ${token}`)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 401, body: { type: 'urn:dctl:error:unauthenticated' } });
    expect(answers[0]!.headers.get('content-type')).toContain('application/problem+json');
  });

  test('is refused from the next request on once it is revoked', async () => {
    const token = await insertToken(system);
    expect((await withAuthorization(`Bearer ${token}`)).status).toBe(200);
    await system.pool.query('UPDATE api_tokens SET revoked_at = now() WHERE last_four = $1', [
      token.slice(-4),
    ]);
    expect((await withAuthorization(`Bearer ${token}`)).status).toBe(401);
  });

  test('is refused by every process from the next request on, though none was told and many requests share look-ups', async () => {
    const changes = ['revoked_at = now()', 'expires_at = now()', "scope = 'read'"];
    for (const change of changes) {
      const token = await insertToken(system, { scope: 'trigger' });
      const triggers = () =>
        [system.url, secondUrl].flatMap((url) =>
          Array.from({ length: 10 }, async () => {
            const path = `/api/v1/projects/${project.projectId}/jobs/${project.jobId}/trigger`;
            return (await call(url + path, 'POST', {}, bearer(token))).status;
          }),
        );
      const before = triggers();
      expect(new Set(await Promise.all(triggers()))).toEqual(new Set([200]));
      const meanwhile = triggers();
      await system.pool.query(`UPDATE api_tokens SET ${change} WHERE last_four = $1`, [token.slice(-4)]);
      expect(new Set(await Promise.all(triggers()))).toEqual(
        new Set([change.startsWith('scope') ? 403 : 401]),
      );
      await Promise.all([...before, ...meanwhile]);
    }
  });

  test.each(['', 'Bearer', 'Bearer ', 'Basic dXNlcjpwYXNz', 'Bearer a b', 'dctl_only'])(
    'is refused when the header is %p',
    async (authorization) => {
      const answer = await withAuthorization(authorization);
      expect(answer).toMatchObject({
        status: 401,
        body: { detail: expect.stringContaining('Authorization: Bearer') },
      });
    },
  );
});

test('a token that expires later still works', async () => {
  const token = await insertToken(system, { expiresAt: new Date(Date.now() + aMinute) });
  expect((await withAuthorization(`Bearer ${token}`)).status).toBe(200);
  expect((await withAuthorization(`bearer   ${token}`)).status).toBe(200);
});

test('each scope may do what it says and no more', async () => {
  const job = `/api/v1/projects/${project.projectId}/jobs/${project.jobId}`;
  const tryAll = async (scope: 'read' | 'trigger' | 'admin') => {
    const as = withToken(system, await insertToken(system, { scope }));
    const read = await as.call('GET', job);
    const triggered = await as.call('POST', `${job}/trigger`);
    const changed = await as.call('PATCH', job, { timeout_seconds: 60 });
    return [read, triggered, changed].map(({ status }) => status);
  };
  expect(await tryAll('read')).toEqual([200, 403, 403]);
  expect(await tryAll('trigger')).toEqual([200, 200, 403]);
  expect(await tryAll('admin')).toEqual([200, 200, 200]);
});

describe('a token', () => {
  test('is in no row of the database, which holds a hash of it', async () => {
    const { rows: tables } = await system.pool.query(
      "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')",
    );
    let dump = '';
    for (const { name } of tables) {
      const { rows } = await system.pool.query(`SELECT row_to_json(t)::text AS row FROM ${name} t`);
      dump += rows.map(({ row }) => row).join('\n');
    }
    expect(dump).toContain(system.token.slice(0, 12));
    expect(dump).not.toContain(system.token.slice(0, 20));
    expect(dump).not.toContain(Buffer.from(system.token).toString('hex'));
    const { rows } = await system.pool.query('SELECT length(hash) AS length FROM api_tokens');
    expect(new Set(rows.map(({ length }) => length))).toEqual(new Set([32]));
  });

  test("is in no line of the API's log", async () => {
    await withAuthorization(`Bearer ${system.token}`);
    await system.call('GET', `/api/v1/projects?token=${system.token}`);
    expect(system.api.lines.length).toBeGreaterThan(0);
    expect(JSON.stringify(system.api.lines)).not.toContain(system.token.slice(5));
  });

  test('has a check sum: no single changed character goes unnoticed', () => {
    const token = fc.constant(null).map(() => newToken());
    const place = fc.nat({ max: 'dctl_'.length + 35 });
    const character = fc.constantFrom(...'0123456789ABCXYZabcxyz_-');
    fc.assert(
      fc.property(token, place, character, (whole, at, other) => {
        expect(whole).toMatch(/^dctl_[0-9A-Za-z]{36}$/);
        expect(isWellFormedToken(whole)).toBe(true);
        const changed = whole.slice(0, at) + other + whole.slice(at + 1);
        expect(isWellFormedToken(changed)).toBe(changed === whole);
      }),
      { numRuns: 500 },
    );
  });
});

async function makeToken(fields: Record<string, unknown> = {}) {
  const wanted = { name: 'made', scope: 'admin', ...fields };
  return (await expectStatus(201, system.call('POST', tokens, wanted))).body as {
    id: string;
    token: string;
  } & Record<string, unknown>;
}

describe('over HTTP', () => {
  test('a token is told once, then shown by its beginning and end', async () => {
    const expires = new Date(Date.now() + aMinute).toISOString();
    const { token, ...made } = await makeToken({ name: 'nightly', scope: 'trigger', expires_at: expires });
    expect(made).toEqual({
      id: expect.any(String),
      name: 'nightly',
      scope: 'trigger',
      prefix: token.slice(0, 12),
      last_four: token.slice(-4),
      created_by: 'first start',
      created_at: expect.any(String),
      expires_at: expires,
      last_used_at: null,
      revoked_at: null,
    });
    const [shown, listed] = [
      await system.call('GET', `${tokens}/${made.id}`),
      await system.call('GET', tokens),
    ];
    expect(shown.body).toEqual(made);
    expect(listed.body.data).toContainEqual(made);
    expect(shown.text + listed.text).not.toContain(token.slice(0, 20));
    expect((await withToken(system, token).call('GET', '/api/v1/projects')).status).toBe(200);
    expect((await withToken(system, token).call('GET', tokens)).status).toBe(403);
  });

  test.each([
    [{ expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
    [{ expires_at: 'tomorrow' }, '/expires_at'],
    [{ scope: 'everything' }, '/scope'],
    [{ name: '' }, '/name'],
  ])('one with %j is refused', async (fields, pointer) => {
    const answer = await system.call('POST', tokens, { name: 'made', scope: 'read', ...fields });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
  });

  test('one that has expired is refused, and listed only with the dead ones', async () => {
    const { id, token } = await makeToken();
    await system.pool.query("UPDATE api_tokens SET expires_at = now() - interval '1 second' WHERE id = $1", [
      id,
    ]);
    expect((await withAuthorization(`Bearer ${token}`)).status).toBe(401);
    const idsIn = async (query: string) =>
      (await system.call('GET', `${tokens}${query}`)).body.data.map((each: { id: string }) => each.id);
    expect(await idsIn('')).not.toContain(id);
    expect(await idsIn('?include_revoked=1')).toContain(id);
  });

  test('revoking twice is the same as once, and noted once', async () => {
    const { id } = await makeToken({ name: 'short-lived' });
    for (const _ of [1, 2]) await expectStatus(204, system.call('DELETE', `${tokens}/${id}`));
    expect((await system.call('GET', `${tokens}/${id}`)).body.revoked_at).not.toBeNull();
    const { data } = (await system.call('GET', `/api/v1/audit?subject_id=${id}`)).body;
    expect(data.map(({ action }: { action: string }) => action)).toEqual(['token.revoked', 'token.created']);
    expect(data[0]).toMatchObject({
      actor: { kind: 'token', name: 'first start' },
      subject: { kind: 'token', id },
      details: { name: 'short-lived' },
    });
  });

  test('any token may revoke itself, and only an admin token others', async () => {
    const [one, other] = [await makeToken({ scope: 'read' }), await makeToken({ scope: 'read' })];
    const as = withToken(system, one.token);
    expect((await as.call('DELETE', `${tokens}/${other.id}`)).status).toBe(403);
    expect((await as.call('DELETE', `${tokens}/${one.id}`)).status).toBe(204);
    expect((await as.call('GET', '/api/v1/projects')).status).toBe(401);
  });
});

describe('when a token was last used', () => {
  test('is written at most once a minute, whatever the number of requests and processes', async () => {
    await system.pool.query(`
      CREATE TABLE uses (token_id text);
      CREATE FUNCTION note_use() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO uses VALUES (NEW.id); RETURN NULL; END';
      CREATE TRIGGER note_use AFTER UPDATE OF last_used_at ON api_tokens FOR EACH ROW
        WHEN (NEW.last_used_at > now() - interval '30 seconds') EXECUTE FUNCTION note_use()`);
    const { id, token } = await makeToken();
    const uses = async () =>
      (await system.pool.query('SELECT FROM uses WHERE token_id = $1', [id])).rows.length;
    const burst = async () => {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          call(`${index % 2 === 0 ? system.url : secondUrl}${tokens}/${id}`, 'GET', undefined, bearer(token)),
        ),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    };
    await burst();
    await until('the use is noted', uses, (count) => count > 0);
    await burst();
    expect(await uses()).toBe(1);

    await system.pool.query(
      "UPDATE api_tokens SET last_used_at = now() - interval '61 seconds' WHERE id = $1",
      [id],
    );
    await burst();
    await until('the next use is noted', uses, (count) => count > 1);
    await burst();
    expect(await uses()).toBe(2);
  });

  test('is waited for by no request', async () => {
    const { id, token } = await makeToken();
    const other = new pg.Client({ connectionString: system.environment['DATABASE_URL'] });
    await other.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT FROM api_tokens WHERE id = $1 FOR UPDATE', [id]);
      expect((await withAuthorization(`Bearer ${token}`)).status).toBe(200);
    } finally {
      await other.end();
    }
  });
});

describe('many wrong tokens from one address', () => {
  const ask = (url: string, address: string, token = newToken()) =>
    call(`${url}/api/v1/projects`, 'GET', undefined, { ...bearer(token), 'x-forwarded-for': address });

  test('are told to slow down, while valid tokens and other addresses go on', async () => {
    const answers = await Promise.all(Array.from({ length: 130 }, () => ask(system.url, '192.0.2.1')));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([...Array(100).fill(401), ...Array(30).fill(429)]);
    const refused = await ask(system.url, '192.0.2.1');
    expect(refused).toMatchObject({ status: 429, body: { type: 'urn:dctl:error:too_many_requests' } });
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(60);
    expect((await ask(system.url, '192.0.2.1', system.token)).status).toBe(200);
    expect((await ask(system.url, '192.0.2.2')).status).toBe(401);
  });

  test('cannot hide behind an invented X-Forwarded-For or the rest of an IPv6 network', async () => {
    const invented = await Promise.all(
      Array.from({ length: 130 }, (_, index) => ask(secondUrl, `192.0.2.${index}`)),
    );
    expect(invented.some(({ status }) => status === 429)).toBe(true);
    const neighbours = await Promise.all(
      Array.from({ length: 130 }, (_, index) => ask(system.url, `2001:db8::${index + 1}`)),
    );
    expect(neighbours.filter(({ status }) => status === 429)).toHaveLength(30);
  });
});
