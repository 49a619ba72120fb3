import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startProcess } from '../support/process.ts';
import { createDatabase } from '../support/database.ts';
import { asAnotherOrganization } from '../support/organization.ts';
import { expectStatus } from '../support/project.ts';
import { addPerson, bareCall, browserWith, cookieOf, signIn, trySignIn } from '../support/session.ts';
import { startSystem, type Answer, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
});
afterAll(() => system.stop());

const invitations = '/api/v1/invitations';
const password = 'correct horse battery';

async function invite(email: string, role = 'operator', by = system): Promise<{ id: string; token: string }> {
  const { body } = await expectStatus(201, by.call('POST', invitations, { email, role }));
  const [page, token = ''] = body.url.split('#');
  expect(page).toBe(`${system.url}/console/invitation`);
  expect(Buffer.from(token, 'base64url').length).toBe(24);
  return { id: body.id, token };
}

const accept = (body: unknown, headers: Record<string, string> = {}) =>
  bareCall(system, 'POST', `${invitations}/accept`, headers, body);
const lookUp = (token: string) => bareCall(system, 'POST', `${invitations}/look-up`, {}, { token });

function expectUsedUp(answer: Answer): void {
  expect(answer).toMatchObject({
    status: 404,
    body: { detail: expect.stringContaining('not good any more') },
  });
}

describe('an invitation', () => {
  test('makes somebody new an account with the password they choose, and signs them in', async () => {
    const { token } = await invite('Ada@Example.com');
    expect((await lookUp(token)).body).toMatchObject({
      organization_name: 'default',
      email: 'ada@example.com',
      role: 'operator',
      has_account: false,
    });
    expect((await accept({ token, password: 'short' })).body.errors).toMatchObject([
      { pointer: '/password' },
    ]);
    const accepted = await expectStatus(200, accept({ token, password }));
    expect(accepted.body).toMatchObject({
      user: { email: 'ada@example.com', is_server_admin: false },
      organizations: [{ id: system.organizationId, role: 'operator' }],
    });
    expect(accepted.headers.getSetCookie()[0]).toMatch(/^dctl_session=.*HttpOnly; SameSite=Lax/);
    const browser = browserWith(system, cookieOf(accepted));
    expect((await browser.call('GET', '/api/v1/projects')).status).toBe(200);
    expect((await trySignIn(system, { email: 'ada@example.com', password })).status).toBe(200);
    expectUsedUp(await accept({ token, password }));
    expectUsedUp(await lookUp(token));
    const { data } = (await system.call('GET', '/api/v1/audit?action=invitation.accepted')).body;
    expect(data[0]).toMatchObject({
      actor: { kind: 'user', id: accepted.body.user.id, name: 'ada@example.com' },
      details: { email: 'ada@example.com', role: 'operator' },
    });
  });

  test('opens an account that is there with its own password alone, and changes nothing of it', async () => {
    const known = await addPerson(system, 'viewer');
    const other = await asAnotherOrganization(system);
    const { token } = await invite(known.email, 'admin', other);
    expect((await lookUp(token)).body.has_account).toBe(true);
    expect(await accept({ token, password: 'not their password' })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/password' }] },
    });
    const { body } = await expectStatus(200, accept({ token, password: known.password }));
    expect(body.user.id).toBe(known.id);
    expect(body.organizations).toHaveLength(2);
    expect((await signIn(system, known)).cookie).not.toBe('');
  });

  test('is no second place to guess a password at: wrong ones count with those of the sign-in, and are noted', async () => {
    const known = await addPerson(system, 'viewer');
    const { token } = await invite(known.email, 'viewer', await asAnotherOrganization(system));
    const guesses: Answer[] = [];
    for (let guess = 0; guess < 5; guess += 1) {
      guesses.push(await accept({ token, password: `guess ${guess}` }));
      guesses.push(await trySignIn(system, { email: known.email, password: `other ${guess}` }));
    }
    expect(new Set(guesses.map(({ status }) => status))).toEqual(new Set([400, 401]));
    expect((await accept({ token, password: known.password })).status).toBe(429);
    expect((await trySignIn(system, known)).status).toBe(429);
    await until(
      'all ten are noted',
      async () =>
        (await system.call('GET', `/api/v1/audit?action=session.failed&subject_id=${known.id}`)).body.data,
      (noted) => noted.length === 10,
    );
  });

  test('of two who come with it at once lets one in', async () => {
    const { token } = await invite('twice@example.com');
    const answers = await Promise.all([accept({ token, password }), accept({ token, password })]);
    expect(answers.map(({ status }) => status).toSorted()).not.toEqual([200, 200]);
    expect(answers.map(({ status }) => status)).toContain(200);
    const { rows } = await system.pool.query("SELECT FROM users WHERE email = 'twice@example.com'");
    expect(rows).toHaveLength(1);
  });

  test('is over when it was taken back, replaced by another, or a week is over', async () => {
    const taken = await invite('taken@example.com');
    expect((await system.call('GET', invitations)).text).not.toContain(taken.token);
    await expectStatus(204, system.call('DELETE', `${invitations}/${taken.id}`));
    expectUsedUp(await accept({ token: taken.token, password }));
    expect((await system.call('DELETE', `${invitations}/${taken.id}`)).status).toBe(404);

    const first = await invite('again@example.com');
    const second = await invite('again@example.com');
    expectUsedUp(await lookUp(first.token));
    const listed = (await system.call('GET', invitations)).body.data.map(({ id }: { id: string }) => id);
    expect(listed).toContain(second.id);
    expect(listed).not.toContain(first.id);

    const late = `UPDATE invitations SET expires_at = now() WHERE id = $1`;
    await system.pool.query(late, [second.id]);
    expectUsedUp(await accept({ token: second.token, password }));
  });

  test('is not made for a member, and is not for another e-mail address', async () => {
    const member = await addPerson(system, 'viewer');
    expect(await system.call('POST', invitations, { email: member.email, role: 'admin' })).toMatchObject({
      status: 409,
      body: { errors: [{ pointer: '/email' }] },
    });
    const { token } = await invite('one@example.com');
    expect(await accept({ token, password, email: 'other@example.com' })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/email' }] },
    });
  });

  test('is refused to a page of another site, and its secret part is stored nowhere', async () => {
    const { token } = await invite('safe@example.com');
    expect((await accept({ token, password }, { origin: 'https://evil.example' })).status).toBe(403);
    expectUsedUp(await accept({ token: 'guessed', password }));
    const { rows } = await system.pool.query('SELECT row_to_json(invitations)::text AS row FROM invitations');
    expect(rows.map(({ row }) => row).join()).not.toContain(token);
    expect(JSON.stringify(system.api.lines)).not.toContain(token);
  });
});

describe('the first start', () => {
  test('prints a link in place of a password where the address is known, until somebody has come', async () => {
    const database = await createDatabase();
    try {
      const bootstrap = async (): Promise<Record<string, string>> => {
        const environment = {
          ...system.environment,
          DATABASE_URL: database.url,
          DCTL_PUBLIC_URL: 'https://dctl.example.com',
        };
        const started = startProcess('dist/src/bootstrap.js', environment);
        await started.ended;
        return started.lines[0] as Record<string, string>;
      };
      const [first, second] = [await bootstrap(), await bootstrap()];
      for (const made of [first, second]) {
        expect(made['invitation_url']).toMatch(
          /^https:\/\/dctl\.example\.com\/console\/invitation#[\w-]{32}$/,
        );
        expect(made).not.toHaveProperty('admin_password');
      }
      expect(first['token']).toMatch(/^dctl_/);
      expect(second).not.toHaveProperty('token');

      const api = startProcess('dist/src/main.js', { ...system.environment, DATABASE_URL: database.url });
      try {
        const { address } = (await api.said('serving')) as { address: { port: number } };
        const there = { ...system, url: `http://127.0.0.1:${address.port}` };
        const come = (made: Record<string, string>, email?: string) =>
          bareCall(
            there,
            'POST',
            `${invitations}/accept`,
            {},
            {
              token: made['invitation_url']!.split('#')[1],
              password,
              email,
            },
          );
        expectUsedUp(await come(first, 'ada@example.com'));
        expect((await come(second)).body.errors).toMatchObject([{ pointer: '/email' }]);
        const { body } = await expectStatus(200, come(second, 'ada@example.com'));
        expect(body).toMatchObject({
          user: { email: 'ada@example.com', is_server_admin: true },
          organizations: [{ id: first['organization_id'], role: 'admin' }],
        });
      } finally {
        api.signal('SIGTERM');
        await api.ended;
      }
      expect(await bootstrap()).not.toHaveProperty('invitation_url');
    } finally {
      await database.drop();
    }
  });
});
