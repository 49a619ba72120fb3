import type { Context } from '../context.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { ownUrl } from '../http/own-url.ts';
import { pageQuery } from '../paging.ts';
import { requireOwnOrigin, setSessionCookie } from '../sessions/cookie.ts';
import { sessionView } from '../sessions/schema.ts';
import type { SignInLimit } from '../sessions/sign-in-limit.ts';
import { acceptInvitation, lookUpInvitation } from './accept.ts';
import { invitationsOf, invite, withdrawInvitation } from './invitations.ts';
import * as shapes from './schema.ts';

const tag = 'Users';
const invitationsPath = '/api/v1/invitations';

export function invitationRoutes(context: Context, limit: SignInLimit): Route[] {
  const { config } = context;

  return [
    jsonRoute({
      method: 'get',
      path: invitationsPath,
      name: 'listInvitations',
      summary: 'Invitations that nobody has come with yet',
      tag,
      scope: 'admin',
      query: pageQuery,
      success: { status: 200, description: 'Invitations, oldest first', schema: shapes.invitationList },
      handle: ({ principal, query }) => invitationsOf(context, principal, query),
    }),
    jsonRoute({
      method: 'post',
      path: invitationsPath,
      name: 'inviteUser',
      summary: 'Make a link with which somebody becomes a member; it is good for a week',
      tag,
      scope: 'admin',
      body: shapes.newInvitation,
      success: { status: 201, description: 'The invitation with its link', schema: shapes.madeInvitation },
      handle: (asked) => invite(context, asked.principal, asked.body, ownUrl(config, asked)),
    }),
    jsonRoute({
      method: 'delete',
      path: `${invitationsPath}/{invitation_id}`,
      name: 'withdrawInvitation',
      summary: 'Take an invitation back',
      tag,
      scope: 'admin',
      params: shapes.invitationParams,
      success: { status: 204, description: 'Taken back' },
      handle: ({ principal, params }) => withdrawInvitation(context, principal, params.invitation_id),
    }),
    jsonRoute({
      method: 'post',
      path: `${invitationsPath}/look-up`,
      name: 'lookUpInvitation',
      summary: 'What an invitation is to, for whoever has its link',
      tag,
      scope: null,
      body: shapes.invitationToLookUp,
      success: { status: 200, description: 'The invitation', schema: shapes.shownInvitation },
      handle: ({ body }) => lookUpInvitation(context, body.token),
    }),
    jsonRoute({
      method: 'post',
      path: `${invitationsPath}/accept`,
      name: 'acceptInvitation',
      summary: 'Become a member, and be signed in',
      tag,
      scope: null,
      body: shapes.acceptance,
      success: { status: 200, description: 'Whose session it is', schema: sessionView },
      async handle(asked) {
        // Nobody is signed in as somebody else by another site's page.
        if (asked.header('origin') !== undefined) requireOwnOrigin(asked.header, config.DCTL_PUBLIC_URL);
        const { token, session } = await acceptInvitation(context, limit, asked.address, asked.body);
        setSessionCookie(config, asked, token);
        return session;
      },
    }),
  ];
}
