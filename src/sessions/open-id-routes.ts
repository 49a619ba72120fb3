import type { Context } from '../context.ts';
import { AppError } from '../errors.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { readStateCookie, setSessionCookie, writeStateCookie } from './cookie.ts';
import { signInWith } from './open-id-account.ts';
import { openIdCallback, openOpenIdProvider, type OpenIdProvider } from './open-id.ts';
import * as shapes from './schema.ts';

const tag = 'Session';
const beginPath = '/api/v1/session/open-id';

export function openIdRoutes(context: Context): Route[] {
  const provider = openOpenIdProvider(context);

  return [
    jsonRoute({
      method: 'get',
      path: '/api/v1/session/ways',
      name: 'listSignInWays',
      summary: 'How people can sign in here',
      tag,
      scope: null,
      success: { status: 200, description: 'The ways', schema: shapes.signInWays },
      handle: async () => ({
        password: true as const,
        open_id: provider === null ? null : { name: provider.name, begin_url: beginPath },
      }),
    }),
    jsonRoute({
      method: 'get',
      path: beginPath,
      name: 'beginOpenId',
      summary: 'Send a browser to the OpenID provider to sign in there',
      tag,
      scope: null,
      query: shapes.openIdQuery,
      success: { status: 302, description: 'To the provider' },
      async handle({ query, answerHeader }) {
        const { url, kept } = await requireProvider(provider).begin(query.to);
        answerHeader('Set-Cookie', writeStateCookie(kept, context.config));
        answerHeader('Location', url);
      },
    }),
    jsonRoute({
      method: 'get',
      path: openIdCallback,
      name: 'endOpenId',
      summary: 'Where the OpenID provider sends browsers back to',
      tag,
      scope: null,
      acts: true,
      query: shapes.openIdCallbackQuery,
      success: { status: 302, description: 'To the console, signed in or with the reason why not' },
      async handle(asked) {
        const { header, answerHeader, address, query, log } = asked;
        const ended = await requireProvider(provider).end(textsOf(query), readStateCookie(header('cookie')));
        const begun = 'refused' in ended ? ended : await signInWith(context, address, ended.identity);
        if ('refused' in ended || 'refused' in begun) {
          const refused = 'refused' in begun ? begun.refused : 'again';
          context.metrics.failedAuthentications.inc({ with: 'open_id' });
          log.info({ address, refused }, 'a sign-in failed');
          answerHeader('Location', `/console/sign-in?refused=${refused}`);
          return;
        }
        setSessionCookie(context.config, asked, begun.token);
        answerHeader('Location', ended.to);
      },
    }),
  ];
}

function requireProvider(provider: OpenIdProvider | null): OpenIdProvider {
  if (provider !== null) return provider;
  throw new AppError('not_found', 'No OpenID provider is set up here: sign in with a password.');
}

function textsOf(query: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}
