import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { sessionSeconds } from './session-token.ts';

const name = 'dctl_session';

/** What a browser keeps while it is at an OpenID provider. */
const stateName = 'dctl_sign_in';
const statePath = '/api/v1/session/open-id';
const stateSeconds = 600;

/** The session's token in a `Cookie` header; undefined when there is none. */
export function readCookie(header: string | undefined): string | undefined {
  return valueOf(name, header);
}

export function readStateCookie(header: string | undefined): string | undefined {
  return valueOf(stateName, header);
}

/** For the few minutes until the provider sends the browser back. */
export function writeStateCookie(value: string, { DCTL_PUBLIC_URL: publicUrl }: Config): string {
  const parts = [
    `${stateName}=${value}`,
    `Path=${statePath}`,
    'HttpOnly',
    'SameSite=Lax',
    `Max-Age=${stateSeconds}`,
  ];
  return [...parts, ...(publicUrl?.startsWith('https:') === true ? ['Secure'] : [])].join('; ');
}

function valueOf(wanted: string, header: string | undefined): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  const found = pairs.find((pair) => pair.startsWith(`${wanted}=`))?.slice(wanted.length + 1);
  return found === '' ? undefined : found;
}

/** The `Set-Cookie` that begins a session in a browser; with an empty token it ends one. */
function writeCookie(token: string, { isSecure }: { isSecure: boolean }): string {
  const maxAge = token === '' ? 0 : sessionSeconds;
  const parts = [`${name}=${token}`, 'Path=/', 'HttpOnly', 'SameSite=Lax', `Max-Age=${maxAge}`];
  return [...parts, ...(isSecure ? ['Secure'] : [])].join('; ');
}

/** Begins a session in the browser that asks; with an empty token it ends one. */
export function setSessionCookie(
  { DCTL_PUBLIC_URL: publicUrl }: Config,
  asked: { isSecure: boolean; answerHeader(name: string, value: string): void },
  token: string,
): void {
  const isHttps = publicUrl?.startsWith('https:') ?? false;
  asked.answerHeader('Set-Cookie', writeCookie(token, { isSecure: asked.isSecure || isHttps }));
}

/**
 * Browsers send the cookie along with what other sites make them ask. So whatever changes something must come from a
 * page of our own: browsers say so in `Origin`, and scripts cannot forge it.
 */
export function requireOwnOrigin(
  header: (name: string) => string | undefined,
  publicUrl: string | undefined,
): void {
  const [origin, host] = [header('origin'), header('host')];
  if (origin !== undefined && origin === publicUrl) return;
  if (origin !== undefined && host !== undefined && hostOf(origin) === host.toLowerCase()) return;
  throw new AppError(
    'forbidden',
    'With a session cookie, requests that change something need an Origin header with the address of this server ' +
      '(DCTL_PUBLIC_URL where it stands behind a proxy). Programs send an API token instead.',
  );
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
