import { setTimeout as delay } from 'node:timers/promises';
import { DctlClient } from '../client/index.ts';
import { Failure } from './failure.ts';
import type { Host } from './settings/hosts.ts';

/** Pauses before a call is made again that may be made again. */
const pausesMs = [200, 1_000, 3_000];
const longestPauseMs = 60_000;
const passing = new Set([429, 502, 503, 504]);

/** A server's API. Whatever passes by itself is waited for; what does not is said in a sentence. */
export function connect(
  { url, token }: Host,
  { version, signal }: { version: string; signal?: AbortSignal },
): DctlClient {
  return new DctlClient({ url, token, fetch: (input, init) => send(input as string, init) });

  async function send(input: string, init: RequestInit = {}): Promise<Response> {
    const signals = [signal, init.signal].filter((each) => each != null);
    const headers = { 'user-agent': `dctl/${version}`, ...(init.headers as Record<string, string>) };
    // Followed, a redirect would make a GET of a POST.
    const request = { ...init, headers, redirect: 'manual', signal: AbortSignal.any(signals) } as const;
    for (let tries = 0; ; tries += 1) {
      const pauseMs = pausesMs[tries];
      const response = await fetch(input, request).catch((error: unknown) => {
        request.signal.throwIfAborted();
        if (pauseMs === undefined || !mayRepeat(request)) throw unreachable(url, error);
        return undefined;
      });
      if (response === undefined || (pauseMs !== undefined && passes(response, request))) {
        const askedMs = Number(response?.headers.get('retry-after') ?? 0) * 1000 || 0;
        await response?.body?.cancel();
        await delay(Math.min(Math.max(pauseMs ?? 0, askedMs), longestPauseMs), undefined, {
          signal: request.signal,
        });
        continue;
      }
      refuseRedirect(url, response);
      return response;
    }
  }
}

interface Sent {
  method?: string;
  headers: Record<string, string>;
}

function passes({ status }: Response, request: Sent): boolean {
  // Who is told 429 was not listened to.
  return passing.has(status) && (status === 429 || mayRepeat(request));
}

/** Making it twice is making it once. */
function mayRepeat({ method = 'GET', headers }: Sent): boolean {
  return ['GET', 'PUT', 'DELETE'].includes(method) || Object.hasOwn(headers, 'idempotency-key');
}

function refuseRedirect(url: string, { status, headers }: Response): void {
  const location = headers.get('location');
  if (status < 300 || status > 399 || location === null) return;
  const place = URL.canParse(location, url) ? new URL(location, url).origin : location;
  throw new Failure(`${url} redirects to ${place}: use that address (dctl login ${place}).`);
}

function unreachable(url: string, error: unknown): Failure {
  const { code = '', message = '' } = reasonOf(error);
  const { host, hostname } = new URL(url);
  const sentences: [test: RegExp, sentence: string][] = [
    [/ECONNREFUSED/, `Nobody answers at ${host}: is the server running, and is the port right?`],
    [
      /ENOTFOUND|EAI_AGAIN/,
      `There is no address for ${hostname}: is the name right, and is there a network?`,
    ],
    [
      /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/,
      `The certificate of ${host} cannot be trusted (${message || code}). To trust a certificate authority of your own, set NODE_EXTRA_CA_CERTS=its.pem or NODE_USE_SYSTEM_CA=1.`,
    ],
    [/WRONG_VERSION_NUMBER|EPROTO/, `${host} does not speak https: is it http://${host}?`],
    [/TIMEOUT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, `${host} cannot be reached from here (${code}).`],
  ];
  const found = sentences.find(([test]) => test.test(`${code} ${message}`));
  return new Failure(found?.[1] ?? `${host} did not answer: ${message || code || 'the connection broke'}.`, {
    cause: error,
  });
}

function reasonOf(error: unknown): { code?: string; message?: string } {
  const { cause } = error as { cause?: { code?: string; message?: string; errors?: { code?: string }[] } };
  if (cause === undefined) return error as Error;
  const code = cause.code ?? cause.errors?.[0]?.code;
  return { ...(code === undefined ? {} : { code }), message: cause.message ?? '' };
}
