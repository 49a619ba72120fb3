import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import {
  clientId,
  clientSecret,
  signInAtProvider,
  startOpenIdProvider,
  type OpenIdProvider,
} from '../support/open-id.ts';
import { expectStatus } from '../support/project.ts';
import { addPerson, bareCall, browserWith } from '../support/session.ts';
import { startSystem, type Answer, type System } from '../support/system.ts';

/** Where people are told to find it. What the provider sends there is carried to where it listens. */
const publicUrl = 'http://dctl.example.test';
const begin = '/api/v1/session/open-id';
const callback = `${begin}/callback`;

let system: System;
let provider: OpenIdProvider;

beforeAll(async () => {
  provider = await startOpenIdProvider(publicUrl + callback);
  system = await startSystem({
    workers: 0,
    environment: {
      DCTL_PUBLIC_URL: publicUrl,
      DCTL_OIDC_ISSUER: provider.issuer,
      DCTL_OIDC_CLIENT_ID: clientId,
      DCTL_OIDC_CLIENT_SECRET: clientSecret,
      DCTL_OIDC_ALLOWED_DOMAINS: 'example.com, example.org',
      DCTL_OIDC_ROLE: 'operator',
    },
  });
});
afterAll(async () => {
  await system.stop();
  await provider.close();
});

const valueOf = ({ headers }: Answer, name: string) =>
  headers
    .getSetCookie()
    .find((line) => line.startsWith(`${name}=`))
    ?.split(';')[0];

/** What the server keeps in a browser, and where it sends it. */
async function begun(to = '/console/runs'): Promise<{ url: string; cookie: string }> {
  const answer = await bareCall(system, 'GET', `${begin}?to=${encodeURIComponent(to)}`, {});
  expect(answer.status).toBe(302);
  const [line = ''] = answer.headers.getSetCookie();
  expect(line).toMatch(
    /^dctl_sign_in=[^;]+; Path=\/api\/v1\/session\/open-id; HttpOnly; SameSite=Lax; Max-Age=600$/,
  );
  return { url: answer.headers.get('location') ?? '', cookie: line.split(';')[0]! };
}

/** The address that somebody comes back with. */
async function cameBack(login: string, to?: string): Promise<{ back: string; cookie: string }> {
  const { url, cookie } = await begun(to);
  const { origin, pathname, search } = await signInAtProvider(provider, url, login);
  expect(origin + pathname).toBe(publicUrl + callback);
  return { back: pathname + search, cookie };
}

async function signIn(login: string, to?: string): Promise<Answer> {
  const { back, cookie } = await cameBack(login, to);
  return bareCall(system, 'GET', back, { cookie });
}

function newcomer(domain = 'example.com', isVerified = true): { login: string; email: string } {
  const login = `person-${randomBytes(4).toString('hex')}`;
  const email = `${login}@${domain}`;
  provider.people.set(login, { email, email_verified: isVerified });
  return { login, email };
}

async function whoIs(answer: Answer): Promise<any> {
  const cookie = valueOf(answer, 'dctl_session');
  return (await browserWith(system, cookie ?? '').call('GET', '/api/v1/session')).body;
}

function expectRefused(answer: Answer, why: string): void {
  expect(answer.status).toBe(302);
  expect(answer.headers.get('location')).toBe(`/console/sign-in?refused=${why}`);
  expect(valueOf(answer, 'dctl_session')).toBeUndefined();
}

describe('signing in through an OpenID provider', () => {
  test('makes somebody of an allowed domain a member, and brings them to where they wanted to go', async () => {
    const { login, email } = newcomer('EXAMPLE.org');
    const answer = await signIn(login, '/console/jobs?limit=5');
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toBe('/console/jobs?limit=5');
    const session = await whoIs(answer);
    expect(session).toMatchObject({
      user: { email: email.toLowerCase(), is_server_admin: false },
      organizations: [{ id: system.organizationId, role: 'operator' }],
    });
    const { body } = await system.call('GET', `/api/v1/audit?subject_id=${session.user.id}`);
    expect(body.data).toMatchObject([
      { action: 'session.started' },
      { action: 'user.added', details: { role: 'operator', through: 'open-id' } },
    ]);
  });

  test('knows them again by what never changes, whatever their e-mail address is by then', async () => {
    const { login } = newcomer();
    const first = await whoIs(await signIn(login));
    provider.people.set(login, { email: 'married@elsewhere.example', email_verified: false });
    expect((await whoIs(await signIn(login))).user).toEqual(first.user);
  });

  test('is for an account that is there as well, which keeps its roles and its password', async () => {
    const person = await addPerson(system, 'viewer');
    const { login } = newcomer();
    provider.people.set(login, { email: person.email, email_verified: true });
    expect(await whoIs(await signIn(login))).toMatchObject({
      user: { id: person.id },
      organizations: [{ role: 'viewer' }],
    });
    const { data } = (await system.call('GET', `/api/v1/audit?subject_id=${person.id}`)).body;
    expect(data[0]).toMatchObject({ action: 'user.identity_linked', actor: { id: person.id } });
    const byPassword = await bareCall(
      system,
      'POST',
      '/api/v1/session',
      {},
      {
        email: person.email,
        password: person.password,
      },
    );
    expect(byPassword.status).toBe(200);
  });

  test('is refused to whoever is of another domain, or whose address the provider does not vouch for', async () => {
    const person = await addPerson(system, 'admin');
    expectRefused(await signIn(newcomer('elsewhere.example').login), 'unknown');
    expectRefused(await signIn(newcomer('example.com.evil.example').login), 'unknown');
    expectRefused(await signIn(newcomer('example.com', false).login), 'unverified');
    const { login } = newcomer();
    provider.people.set(login, { email: person.email, email_verified: false });
    expectRefused(await signIn(login), 'unverified');
    provider.people.set(login, {});
    expectRefused(await signIn(login), 'unverified');
  });

  test('opens no account of a letter that only looks like it in lower case', async () => {
    const person = await addPerson(system, 'admin');
    const { login } = newcomer();
    // U+212A, the sign of kelvin, is k in lower case.
    const kelvin = person.email.replace('@', '+k@');
    await expectStatus(201, system.call('POST', '/api/v1/users', { email: kelvin, role: 'admin' }));
    provider.people.set(login, { email: kelvin.replace('k', '\u212a'), email_verified: true });
    expectRefused(await signIn(login), 'unverified');
  });

  test('brings nobody back into an organization that they were removed from', async () => {
    const { login } = newcomer();
    const { user } = await whoIs(await signIn(login));
    await expectStatus(204, system.call('DELETE', `/api/v1/users/${user.id}`));
    expect(await whoIs(await signIn(login))).toMatchObject({ user: { id: user.id }, organizations: [] });
  });

  test('makes one account of somebody who comes twice at once, and signs them in both times', async () => {
    const { login } = newcomer();
    const came = await Promise.all([cameBack(login), cameBack(login)]);
    const answers = await Promise.all(
      came.map(({ back, cookie }) => bareCall(system, 'GET', back, { cookie })),
    );
    const [first, second] = await Promise.all(answers.map(whoIs));
    expect(first.organizations).toHaveLength(1);
    expect(second.user).toEqual(first.user);
  });

  test('ends in the browser that began it, once', async () => {
    const { login } = newcomer();
    const { back, cookie } = await cameBack(login);
    expectRefused(await bareCall(system, 'GET', back, {}), 'again');
    expectRefused(await bareCall(system, 'GET', back, { cookie: (await begun()).cookie }), 'again');
    expectRefused(await bareCall(system, 'GET', back, { cookie: `${cookie.slice(0, -8)}AAAAAAA=` }), 'again');
    const changed = back.replace(/state=[^&]+/, 'state=another');
    expectRefused(await bareCall(system, 'GET', changed, { cookie }), 'again');
    expect((await whoIs(await bareCall(system, 'GET', back, { cookie }))).user.email).toContain(login);
    expectRefused(await bareCall(system, 'GET', back, { cookie }), 'provider');
  });

  test('that somebody gives up at the provider leads back to the sign-in', async () => {
    const { url, cookie } = await begun();
    const state = new URL(url).searchParams.get('state') ?? '';
    const iss = encodeURIComponent(provider.issuer);
    const back = `${callback}?error=access_denied&state=${state}&iss=${iss}`;
    expectRefused(await bareCall(system, 'GET', back, { cookie }), 'again');
    expectRefused(await bareCall(system, 'GET', callback, {}), 'again');
  });

  test('sends state, nonce and a PKCE challenge, and leads nowhere but into the console', async () => {
    const { searchParams } = new URL((await begun()).url);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: publicUrl + callback,
      scope: 'openid email',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{20,}$/),
      nonce: expect.stringMatching(/^[\w-]{20,}$/),
    });
    for (const to of [
      'https://evil.example/',
      '//evil.example',
      '/api/v1/session',
      '/console\\evil',
      '/consolex',
    ])
      expect((await bareCall(system, 'GET', `${begin}?to=${encodeURIComponent(to)}`, {})).status).toBe(400);
  });

  test('is offered by its name, and its secret is in no log', async () => {
    const ways = await bareCall(system, 'GET', '/api/v1/session/ways', {});
    expect(ways.body.open_id).toEqual({ name: new URL(provider.issuer).host, begin_url: begin });
    const log = JSON.stringify(system.api.lines);
    expect(log).not.toContain(clientSecret);
    expect(log).toContain('a sign-in failed');
  });
});

describe('the settings', () => {
  const foundations = {
    DATABASE_URL: 'postgres://localhost/dctl',
    DCTL_SECRET_KEY: Buffer.alloc(32).toString('base64'),
    DCTL_STORAGE_DIR: '/nowhere',
  };
  const complete = {
    ...foundations,
    DCTL_PUBLIC_URL: publicUrl,
    DCTL_OIDC_ISSUER: 'https://accounts.example.com',
    DCTL_OIDC_CLIENT_ID: 'dctl',
    DCTL_OIDC_CLIENT_SECRET: 'secret',
  };

  test.each(['DCTL_PUBLIC_URL', 'DCTL_OIDC_CLIENT_ID', 'DCTL_OIDC_CLIENT_SECRET', 'DCTL_OIDC_ISSUER'])(
    'need %s beside the others',
    (missing) => {
      expect(readConfig(complete).DCTL_OIDC_ROLE).toBe('viewer');
      const { [missing as keyof typeof complete]: _, ...rest } = complete;
      expect(() => readConfig(rest)).toThrow('DCTL_OIDC_ISSUER');
    },
  );

  test('take no provider over http but one on this machine', () => {
    const at = (issuer: string) => readConfig({ ...complete, DCTL_OIDC_ISSUER: issuer });
    expect(() => at('http://accounts.example.com')).toThrow(/https:/);
    expect(() => at('http://127.0.0.1.evil.example')).toThrow(/https:/);
    expect(at('http://127.0.0.1:9').DCTL_OIDC_ISSUER).toBe('http://127.0.0.1:9');
  });
});
