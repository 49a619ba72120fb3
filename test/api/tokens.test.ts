import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isWellFormedToken, newToken } from '../../src/tokens/token.ts';
import { insertToken, withToken } from '../support/organization.ts';
import { deployProject, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
});
afterAll(() => system.stop());

const aMinute = 60_000;
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
