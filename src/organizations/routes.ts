import type { Caller, Context, SignedInUser } from '../context.ts';
import { AppError } from '../errors.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { changeOrganization, createOrganization, getOrganization, organizationsOf } from './organizations.ts';
import * as shapes from './schema.ts';

const tag = 'Organizations';
const organizationsPath = '/api/v1/organizations';
const organizationPath = `${organizationsPath}/{organization_id}`;

export const organizationRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: organizationsPath,
    name: 'listOrganizations',
    summary: 'The organizations that the caller belongs to',
    tag,
    scope: 'known',
    success: { status: 200, description: 'All of them, oldest first', schema: shapes.organizationList },
    handle: ({ caller }) => organizationsOf(context, caller),
  }),
  jsonRoute({
    method: 'post',
    path: organizationsPath,
    name: 'createOrganization',
    summary: 'Make an organization with its first admin (signed-in server admins only)',
    tag,
    scope: 'known',
    body: shapes.newOrganization,
    success: { status: 201, description: 'The organization', schema: shapes.createdOrganization },
    handle: ({ caller, body, address }) => {
      const { id, email } = requireServerAdmin(caller);
      return createOrganization(context, { kind: 'user', id, name: email, address }, body);
    },
  }),
  jsonRoute({
    method: 'get',
    path: organizationPath,
    name: 'getOrganization',
    summary: 'An organization',
    tag,
    scope: 'read',
    params: shapes.organizationParams,
    success: { status: 200, description: 'The organization', schema: shapes.organizationView },
    handle: ({ principal, params }) => getOrganization(context, principal, params.organization_id),
  }),
  jsonRoute({
    method: 'patch',
    path: organizationPath,
    name: 'changeOrganization',
    summary: 'Change the name of an organization, or how long it keeps what runs left',
    tag,
    scope: 'admin',
    params: shapes.organizationParams,
    body: shapes.organizationChange,
    success: { status: 200, description: 'The organization', schema: shapes.organizationView },
    handle: ({ principal, params, body }) =>
      changeOrganization(context, principal, params.organization_id, body),
  }),
];

function requireServerAdmin(caller: Caller): SignedInUser {
  if (caller.kind === 'user' && caller.user.isServerAdmin) return caller.user;
  throw new AppError(
    'forbidden',
    'Only an admin of the server who is signed in may make organizations, and whoever has a shell on it.',
  );
}
