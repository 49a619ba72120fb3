import type { Context } from '../context.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { pageQuery } from '../paging.ts';
import * as shapes from './schema.ts';
import { addUser, changeUser, removeUser, usersOf } from './users.ts';

const tag = 'Users';
const usersPath = '/api/v1/users';
const userPath = `${usersPath}/{user_id}`;

export const userRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: usersPath,
    name: 'listUsers',
    summary: "The organization's people and their roles",
    tag,
    scope: 'admin',
    query: pageQuery,
    success: { status: 200, description: 'Users, in the order they were added', schema: shapes.userList },
    handle: ({ principal, query }) => usersOf(context, principal, query),
  }),
  jsonRoute({
    method: 'post',
    path: usersPath,
    name: 'addUser',
    summary: 'Make somebody a member of the organization',
    tag,
    scope: 'admin',
    body: shapes.newUser,
    success: { status: 201, description: 'The user', schema: shapes.addedUser },
    handle: ({ principal, body }) => addUser(context, principal, body),
  }),
  jsonRoute({
    method: 'patch',
    path: userPath,
    name: 'changeUser',
    summary: "Change a user's role",
    tag,
    scope: 'admin',
    params: shapes.userParams,
    body: shapes.userChange,
    success: { status: 200, description: 'The user', schema: shapes.userView },
    handle: ({ principal, params, body }) => changeUser(context, principal, params.user_id, body),
  }),
  jsonRoute({
    method: 'delete',
    path: userPath,
    name: 'removeUser',
    summary: 'Remove somebody from the organization',
    tag,
    scope: 'admin',
    params: shapes.userParams,
    success: { status: 204, description: 'Removed' },
    handle: ({ principal, params }) => removeUser(context, principal, params.user_id),
  }),
];
