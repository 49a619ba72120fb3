import { createSecretKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { createSecrets } from '../../src/secrets.ts';
import { asAnotherOrganization } from '../support/organization.ts';
import { expectStatus } from '../support/project.ts';
import {
  addPerson,
  bareCall,
  browserWith,
  cookieOf,
  signIn,
  trySignIn,
  type Browser,
  type Person,
} from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let person: Person;
let browser: Browser;

beforeAll(async () => {
  system = await startSystem({ workers: 0, environment: { DCTL_TRUSTED_PROXIES: '127.0.0.1' } });
  person = await addPerson(system, 'admin');
  browser = await signIn(system, person);
});
afterAll(() => system.stop());

const session = '/api/v1/session';
const projects = '/api/v1/projects';
/** Seen through a proxy that is trusted: as if from another address. */
const from = (address: string) => ({ 'x-forwarded-for': address });

describe('signing in', () => {
  test('sets a cookie that no script reads, and says who is signed in', async () => {
    const answer = await trySignIn(system, { ...person, email: person.email.toUpperCase() });
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^dctl_session=[\w-]+\.[\w-]+\.[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=43200$/,
      ),
    ]);
    expect(answer.body).toMatchObject({
      user: { id: person.id, email: person.email, is_server_admin: false },
      organizations: [{ id: system.organizationId, name: 'default', role: 'admin' }],
    });
    expect((await browser.call('GET', session)).body.user).toEqual(answer.body.user);
  });

  test('over https, as a trusted proxy says, marks the cookie Secure', async () => {
    const answer = await trySignIn(system, person, { 'x-forwarded-proto': 'https' });
    expect(answer.headers.getSetCookie()[0]).toMatch(/; Secure$/);
  });

  test('answers a wrong password and an unknown e-mail address alike, as slowly', async () => {
    const time = async (email: string, address: string) => {
      const startedAt = performance.now();
      const answer = await trySignIn(system, { email, password: 'not the password' }, from(address));
      return { ms: performance.now() - startedAt, seen: `${answer.status} ${answer.text}` };
    };
    const [known, unknown] = [[] as number[], [] as number[]];
    const seen = new Set<string>();
    for (let turn = 0; turn < 6; turn += 1) {
      const right = await time(person.email, '192.0.2.1');
      const wrong = await time('nobody@example.com', '192.0.2.1');
      known.push(right.ms);
      unknown.push(wrong.ms);
      seen.add(right.seen).add(wrong.seen);
    }
    expect([...seen]).toEqual([expect.stringMatching(/^401 .*not right/)]);
    const ratio = Math.min(...known) / Math.min(...unknown);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });

  test('is held up after ten wrong passwords, for that address and that e-mail address alone', async () => {
    const guessed = await addPerson(system, 'viewer');
    const guess = (password: string, address: string) =>
      trySignIn(system, { email: guessed.email, password }, from(address));
    const guesses = await Promise.all(
      Array.from({ length: 15 }, (_, index) => guess(`guess number ${index}`, '192.0.2.9')),
    );
    const statuses = guesses.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([...Array(10).fill(401), ...Array(5).fill(429)]);

    const held = await guess(guessed.password, '192.0.2.9');
    expect(held).toMatchObject({ status: 429, body: { type: 'urn:dctl:error:too_many_requests' } });
    expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(800);
    expect((await guess(guessed.password, '192.0.2.10')).status).toBe(200);
    expect((await trySignIn(system, person, from('192.0.2.9'))).status).toBe(200);
  });

  test('is refused to a page of another site', async () => {
    const answer = await trySignIn(system, person, { origin: 'https://evil.example' });
    expect(answer.status).toBe(403);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test('tells nobody the password that was tried', async () => {
    const password = 'planted password 1';
    await trySignIn(system, { email: 'nobody@example.com', password });
    await trySignIn(system, { email: 'not an address', password });
    expect(JSON.stringify(system.api.lines)).not.toContain(password);
  });
});

describe('with a session cookie', () => {
  test('reading needs nothing else, changing something needs our own Origin', async () => {
    expect((await bareCall(system, 'GET', projects, { cookie: browser.cookie })).status).toBe(200);
    const create = (headers: Record<string, string>, name: string) =>
      bareCall(system, 'POST', projects, { cookie: browser.cookie, ...headers }, { name });
    const refused = await create({}, 'a');
    expect(refused).toMatchObject({ status: 403, body: { detail: expect.stringContaining('Origin') } });
    for (const origin of ['https://evil.example', 'null', `${system.url}.evil.example`, 'http://127.0.0.1'])
      expect((await create({ origin }, 'a')).status).toBe(403);
    expect((await create({ origin: system.url }, 'by a session')).status).toBe(201);
    expect((await bareCall(system, 'DELETE', session, { cookie: browser.cookie })).status).toBe(403);
  });

  test('an API token goes first, and needs no Origin', async () => {
    const headers = { cookie: browser.cookie, authorization: `Bearer ${system.token}` };
    expect((await bareCall(system, 'POST', projects, headers, { name: 'by a token' })).status).toBe(201);
    const wrong = { cookie: browser.cookie, authorization: 'Bearer dctl_wrong' };
    expect((await bareCall(system, 'GET', projects, wrong)).status).toBe(401);
    expect((await system.call('GET', session)).status).toBe(403);
  });

  test('what a role may not do is refused by its name', async () => {
    const viewer = await signIn(system, await addPerson(system, 'viewer'));
    expect((await viewer.call('GET', projects)).status).toBe(200);
    const refused = await viewer.call('POST', projects, { name: 'theirs' });
    expect(refused).toMatchObject({ status: 403, body: { detail: expect.stringContaining('"viewer"') } });
  });

  test('somebody in several organizations says which; others look as if they did not exist', async () => {
    const other = await asAnotherOrganization(system);
    const known = await expectStatus(
      201,
      other.call('POST', '/api/v1/users', { email: person.email, role: 'viewer' }),
    );
    expect(known.body).toMatchObject({ id: person.id, is_new: false });
    expect(known.body).not.toHaveProperty('password');
    try {
      const silent = await browser.call('GET', projects);
      expect(silent).toMatchObject({
        status: 400,
        body: { detail: expect.stringContaining('X-Organization-ID') },
      });
      const within = (id: string) => browser.call('GET', projects, undefined, { 'x-organization-id': id });
      expect((await within(other.organizationId)).body.data).toEqual([]);
      expect((await within(system.organizationId)).status).toBe(200);
      const foreign = await within((await asAnotherOrganization(system)).organizationId);
      expect(foreign.status).toBe(403);
      expect(foreign.text).toBe((await within('org-nothing')).text);
      const organization = await browser.call('GET', `/api/v1/organizations/${other.organizationId}`);
      expect(organization.body.id).toBe(other.organizationId);
      expect((await browser.call('GET', '/api/v1/organizations')).body.data).toHaveLength(2);
    } finally {
      await expectStatus(204, other.call('DELETE', `/api/v1/users/${person.id}`));
    }
  });
});

describe('a session', () => {
  const key = () => createSecrets(system.environment['DCTL_SECRET_KEY']!).sessionKeys[0]!;
  const good = { issuer: 'dctl', audience: 'dctl session', expiresIn: 3600 } as const;
  const statusOf = async (token: string) =>
    (await browserWith(system, `dctl_session=${token}`).call('GET', session)).status;

  test('made elsewhere or bent is refused', async () => {
    const claims = { sub: person.id, session_version: 0 };
    expect(await statusOf(jwt.sign(claims, key(), good))).toBe(200);
    const { expiresIn: _, ...forEver } = good;
    const bent = {
      unsigned: jwt.sign(claims, '', { ...good, algorithm: 'none' }),
      'another algorithm': jwt.sign(claims, key(), { ...good, algorithm: 'HS512' }),
      'no end': jwt.sign(claims, key(), forEver),
      'a far end': jwt.sign({ ...claims, iat: 1 }, key(), { ...forEver, expiresIn: 10 ** 10 }),
      'another audience': jwt.sign(claims, key(), { ...good, audience: 'else' }),
      'another issuer': jwt.sign(claims, key(), { ...good, issuer: 'else' }),
      expired: jwt.sign(claims, key(), { ...good, expiresIn: -1 }),
      'another key': jwt.sign(claims, createSecretKey(Buffer.alloc(32, 1)), good),
      'the secret key itself': jwt.sign(
        claims,
        createSecretKey(Buffer.from(system.environment['DCTL_SECRET_KEY']!, 'base64')),
        good,
      ),
      'no version': jwt.sign({ sub: person.id }, key(), good),
      'a version to come': jwt.sign({ ...claims, session_version: 1 }, key(), good),
      'nobody we know': jwt.sign({ ...claims, sub: 'nobody' }, key(), good),
      nothing: 'nothing',
    };
    for (const [what, token] of Object.entries(bent))
      expect({ what, status: await statusOf(token) }).toEqual({ what, status: 401 });
  });

  test('signed out of is gone from the browser', async () => {
    const leaving = await signIn(system, person);
    const answer = await leaving.call('DELETE', session);
    expect(answer.status).toBe(204);
    expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(/^dctl_session=; .*Max-Age=0/)]);
    expect((await bareCall(system, 'DELETE', session, {})).status).toBe(204);
  });

  test('is over everywhere once its owner ends all of them', async () => {
    const owner = await addPerson(system, 'viewer');
    const [here, there] = [await signIn(system, owner), await signIn(system, owner)];
    expect((await here.call('POST', `${session}/end-all`)).status).toBe(204);
    for (const each of [here, there]) expect((await each.call('GET', session)).status).toBe(401);
    expect((await (await signIn(system, owner)).call('GET', session)).status).toBe(200);
  });

  test('is replaced, and all others ended, when the password changes', async () => {
    const owner = await addPerson(system, 'viewer');
    const [here, there] = [await signIn(system, owner), await signIn(system, owner)];
    const change = (current: string, wanted: string) =>
      here.call('POST', `${session}/password`, { current_password: current, new_password: wanted });
    expect(await change('wrong', 'a new pass phrase')).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/current_password' }] },
    });
    expect((await change(owner.password, 'short')).status).toBe(400);
    const changed = await expectStatus(200, change(owner.password, 'a new pass phrase'));
    expect((await browserWith(system, cookieOf(changed)).call('GET', session)).status).toBe(200);
    for (const each of [here, there]) expect((await each.call('GET', session)).status).toBe(401);
    expect((await trySignIn(system, owner)).status).toBe(401);
    expect((await trySignIn(system, { ...owner, password: 'a new pass phrase' })).status).toBe(200);
  });

  test('shows a changed role from the next request on', async () => {
    const owner = await addPerson(system, 'admin');
    const theirs = await signIn(system, owner);
    expect((await theirs.call('GET', '/api/v1/audit')).status).toBe(200);
    await expectStatus(200, system.call('PATCH', `/api/v1/users/${owner.id}`, { role: 'viewer' }));
    expect((await theirs.call('GET', '/api/v1/audit')).status).toBe(403);
    await expectStatus(204, system.call('DELETE', `/api/v1/users/${owner.id}`));
    expect((await theirs.call('GET', projects)).status).toBe(403);
  });
});

describe('organizations', () => {
  test('are made by admins of the server who are signed in, each with an admin of its own', async () => {
    const wanted = { name: 'marketing', admin_email: 'Head@Example.com' };
    const make = (who: Browser | System) => who.call('POST', '/api/v1/organizations', wanted);
    expect((await make(browser)).status).toBe(403);
    expect((await make(system)).status).toBe(403);
    await system.pool.query('UPDATE users SET is_server_admin = true WHERE id = $1', [person.id]);
    const made = await expectStatus(201, make(browser));
    expect(made.body).toMatchObject({
      name: 'marketing',
      admin: { email: 'head@example.com', is_new: true },
    });
    expect((await make(browser)).status).toBe(409);

    const head = await signIn(system, { email: 'head@example.com', password: made.body.admin.password });
    const path = `/api/v1/organizations/${made.body.id}`;
    const changed = await head.call('PATCH', path, { name: 'sales', retention_days: 30 });
    expect(changed.body).toMatchObject({ name: 'sales', retention_days: 30 });
    for (const days of [0, 3651, 1.5, '7'])
      expect((await head.call('PATCH', path, { retention_days: days })).status).toBe(400);
    expect((await head.call('PATCH', path, { retention_days: null })).body.retention_days).toBeNull();

    const { data } = (await head.call('GET', '/api/v1/audit')).body;
    expect(data.map(({ action }: { action: string }) => action)).toEqual([
      'organization.changed',
      'organization.changed',
      'session.started',
      'organization.created',
    ]);
    expect(data[1]).toMatchObject({
      actor: { kind: 'user', name: 'head@example.com' },
      subject: { kind: 'organization', id: made.body.id },
      details: { name: 'sales', name_before: 'marketing', retention_days: 30 },
    });
  });
});
