import type { Context } from '../context.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import * as shapes from './schema.ts';
import { getToken, makeToken, revokeToken, tokensOf } from './tokens.ts';

const tag = 'Tokens';
const tokensPath = '/api/v1/tokens';
const tokenPath = `${tokensPath}/{token_id}`;

export const tokenRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: tokensPath,
    name: 'listTokens',
    summary: "The organization's API tokens",
    tag,
    scope: 'admin',
    query: shapes.tokensQuery,
    success: { status: 200, description: 'Tokens, newest first', schema: shapes.tokenList },
    handle: ({ principal, query }) => tokensOf(context, principal, query),
  }),
  jsonRoute({
    method: 'post',
    path: tokensPath,
    name: 'createToken',
    summary: 'Make a token; its text is in this answer and never again',
    tag,
    scope: 'admin',
    body: shapes.newToken,
    success: { status: 201, description: 'The token', schema: shapes.createdToken },
    handle: ({ principal, body }) => makeToken(context, principal, body),
  }),
  jsonRoute({
    method: 'get',
    path: tokenPath,
    name: 'getToken',
    summary: 'A token',
    tag,
    scope: 'admin',
    params: shapes.tokenParams,
    success: { status: 200, description: 'The token', schema: shapes.tokenView },
    handle: ({ principal, params }) => getToken(context, principal, params.token_id),
  }),
  jsonRoute({
    method: 'delete',
    path: tokenPath,
    name: 'revokeToken',
    summary: 'Revoke a token, from the next request on: any as admin, itself with whatever scope',
    tag,
    scope: 'read',
    params: shapes.tokenParams,
    success: { status: 204, description: 'Revoked' },
    handle: ({ principal, params }) => revokeToken(context, principal, params.token_id),
  }),
];
