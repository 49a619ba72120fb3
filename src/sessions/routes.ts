import type { Context } from '../context.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { readCookie, requireOwnOrigin, setSessionCookie } from './cookie.ts';
import * as shapes from './schema.ts';
import { changePassword, endAllSessions, requireUser, sessionOf, signIn } from './sessions.ts';
import type { SignInLimit } from './sign-in-limit.ts';

const tag = 'Session';
const sessionPath = '/api/v1/session';

export function sessionRoutes(context: Context, limit: SignInLimit): Route[] {
  const { config } = context;

  return [
    jsonRoute({
      method: 'post',
      path: sessionPath,
      name: 'signIn',
      summary: 'Sign in: sets the cookie dctl_session, good for twelve hours',
      tag,
      scope: null,
      body: shapes.credentials,
      success: { status: 200, description: 'Whose session it is', schema: shapes.sessionView },
      async handle(asked) {
        // Nobody is signed in as somebody else by another site's page.
        if (asked.header('origin') !== undefined) requireOwnOrigin(asked.header, config.DCTL_PUBLIC_URL);
        const { token, session } = await signIn(context, limit, asked.address, asked.body);
        setSessionCookie(config, asked, token);
        return session;
      },
    }),
    jsonRoute({
      method: 'get',
      path: sessionPath,
      name: 'getSession',
      summary: 'Who is signed in, and their organizations',
      tag,
      scope: 'known',
      success: { status: 200, description: 'The session', schema: shapes.sessionView },
      handle: async ({ caller }) => sessionOf(requireUser(caller)),
    }),
    jsonRoute({
      method: 'delete',
      path: sessionPath,
      name: 'signOut',
      summary: 'Sign out: removes the cookie',
      tag,
      scope: null,
      success: { status: 204, description: 'Signed out' },
      async handle(asked) {
        if (readCookie(asked.header('cookie')) !== undefined)
          requireOwnOrigin(asked.header, config.DCTL_PUBLIC_URL);
        setSessionCookie(config, asked, '');
      },
    }),
    jsonRoute({
      method: 'post',
      path: `${sessionPath}/end-all`,
      name: 'endAllSessions',
      summary: 'End all sessions of whoever is signed in, wherever they are',
      tag,
      scope: 'known',
      success: { status: 204, description: 'Ended' },
      async handle(asked) {
        await endAllSessions(context, requireUser(asked.caller), asked.address);
        setSessionCookie(config, asked, '');
      },
    }),
    jsonRoute({
      method: 'post',
      path: `${sessionPath}/password`,
      name: 'changePassword',
      summary: "Change one's password: ends all sessions but a new one",
      tag,
      scope: 'known',
      body: shapes.passwordChange,
      success: { status: 200, description: 'The new session', schema: shapes.sessionView },
      async handle(asked) {
        const user = requireUser(asked.caller);
        const { token, session } = await changePassword(context, limit, asked.address, user, asked.body);
        setSessionCookie(config, asked, token);
        return session;
      },
    }),
  ];
}
