import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export const clientId = 'dctl';
export const clientSecret = 'what the provider believes dctl by';

/** What a provider says of somebody. */
export interface Told {
  email?: string;
  email_verified?: boolean;
}

export interface OpenIdProvider {
  issuer: string;
  /** By the name they sign in with. */
  people: Map<string, Told>;
  close(): Promise<void>;
}

/** A real OpenID provider whose people need no password. `callback`: where it may send browsers back to. */
export async function startOpenIdProvider(callback: string): Promise<OpenIdProvider> {
  let serve: RequestListener = (_request, response) => response.end();
  const server = createServer((request, response) => serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const people = new Map<string, Told>();
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [callback] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    cookies: { keys: ['signed with this'] },
    pkce: { required: () => true },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: async () => ({ sub: id, ...people.get(id) }),
    }),
  });
  serve = provider.callback();
  return {
    issuer,
    people,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * What somebody's browser does at the provider: signs in, agrees, and is sent back. Answers where to.
 *
 * `begun`: the address that the server sent it to.
 */
export async function signInAtProvider(
  { issuer }: OpenIdProvider,
  begun: string,
  login: string,
): Promise<URL> {
  const cookies = new Map<string, string>();
  const ask = async (url: string, form?: Record<string, string>) => {
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    await answer.arrayBuffer();
    return answer;
  };

  let url = begun;
  for (let step = 0; step < 20; step += 1) {
    if (!url.startsWith(issuer)) return new URL(url);
    const page = await ask(url);
    const next =
      page.status === 200
        ? // Its first page asks who is there, the second whether they agree.
          await ask(url, step < 3 ? { prompt: 'login', login, password: 'any' } : { prompt: 'consent' })
        : page;
    const location = next.headers.get('location');
    if (location === null) throw new Error(`the provider answered ${next.status} and leads nowhere`);
    url = new URL(location, url).href;
  }
  throw new Error('the provider leads in a circle');
}
