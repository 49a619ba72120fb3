import { randomBytes } from 'node:crypto';
import { expectStatus } from './project.ts';
import { call, type Answer, type System } from './system.ts';

export interface Person {
  id: string;
  email: string;
  password: string;
}

/** Somebody new in the system's organization. */
export async function addPerson(system: System, role: 'viewer' | 'operator' | 'admin'): Promise<Person> {
  const email = `${role}-${randomBytes(4).toString('hex')}@example.com`;
  const added = await expectStatus(201, system.call('POST', '/api/v1/users', { email, role }));
  return { id: added.body.id, email, password: added.body.password };
}

/** A browser that is signed in: it sends its cookie and where its page came from. */
export interface Browser {
  cookie: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export async function signIn(
  system: System,
  { email, password }: Pick<Person, 'email' | 'password'>,
): Promise<Browser> {
  return browserWith(system, cookieOf(await expectStatus(200, trySignIn(system, { email, password }))));
}

export function trySignIn(
  { url }: System,
  { email, password }: Pick<Person, 'email' | 'password'>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return call(`${url}/api/v1/session`, 'POST', { email, password }, headers);
}

/** What the answer's `Set-Cookie` makes a browser send from then on. */
export function cookieOf({ headers }: Answer): string {
  return headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

export function browserWith({ url }: System, cookie: string): Browser {
  return {
    cookie,
    call: (method, path, body, headers = {}) =>
      call(url + path, method, body, { cookie, ...(method === 'GET' ? {} : { origin: url }), ...headers }),
  };
}

/** A call with exactly these headers. */
export function bareCall(
  { url }: System,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
) {
  return call(url + path, method, body, headers);
}
