import type { Context } from '../context.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { pageQuery } from '../paging.ts';
import { deleteSecret, secretsOf, setSecret } from './environment-secrets.ts';
import {
  changeEnvironment,
  createEnvironment,
  deleteEnvironment,
  environmentsOf,
  getEnvironment,
} from './environments.ts';
import * as shapes from './schema.ts';

const tag = 'Environments';
const environmentsPath = '/api/v1/projects/{project_id}/environments';
const environmentPath = `${environmentsPath}/{environment_id}`;
const secretsPath = `${environmentPath}/secrets`;
const keyOf = (params: { project_id: string; environment_id: string }) => ({
  projectId: params.project_id,
  environmentId: params.environment_id,
});

export const environmentRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: environmentsPath,
    name: 'listEnvironments',
    summary: "A project's environments",
    tag,
    scope: 'read',
    params: shapes.environmentsParams,
    query: pageQuery,
    success: { status: 200, description: 'Environments, oldest first', schema: shapes.environmentList },
    handle: ({ principal, params, query }) => environmentsOf(context, principal, params.project_id, query),
  }),
  jsonRoute({
    method: 'post',
    path: environmentsPath,
    name: 'createEnvironment',
    summary: 'Make an environment',
    tag,
    scope: 'admin',
    params: shapes.environmentsParams,
    body: shapes.newEnvironment,
    success: { status: 201, description: 'The environment', schema: shapes.environmentView },
    handle: ({ principal, params, body }) => createEnvironment(context, principal, params.project_id, body),
  }),
  jsonRoute({
    method: 'get',
    path: environmentPath,
    name: 'getEnvironment',
    summary: 'An environment',
    tag,
    scope: 'read',
    params: shapes.environmentParams,
    success: { status: 200, description: 'The environment', schema: shapes.environmentView },
    handle: ({ principal, params }) => getEnvironment(context, principal, keyOf(params)),
  }),
  jsonRoute({
    method: 'patch',
    path: environmentPath,
    name: 'changeEnvironment',
    summary: 'Change what dbt is run with: image, memory, variables, warehouse',
    tag,
    scope: 'admin',
    params: shapes.environmentParams,
    body: shapes.environmentChange,
    success: { status: 200, description: 'The environment', schema: shapes.environmentView },
    handle: ({ principal, params, body }) => changeEnvironment(context, principal, keyOf(params), body),
  }),
  jsonRoute({
    method: 'delete',
    path: environmentPath,
    name: 'deleteEnvironment',
    summary: 'Delete an environment that no job runs in; its secrets are gone for good',
    tag,
    scope: 'admin',
    params: shapes.environmentParams,
    success: { status: 204, description: 'Deleted' },
    handle: ({ principal, params }) => deleteEnvironment(context, principal, keyOf(params)),
  }),
  jsonRoute({
    method: 'get',
    path: secretsPath,
    name: 'listSecrets',
    summary: "The names of an environment's secrets",
    tag,
    scope: 'read',
    params: shapes.environmentParams,
    success: { status: 200, description: 'Secrets without their values', schema: shapes.secretList },
    handle: ({ principal, params }) => secretsOf(context, principal, keyOf(params)),
  }),
  jsonRoute({
    method: 'put',
    path: `${secretsPath}/{name}`,
    name: 'setSecret',
    summary: 'Set an environment variable whose value is never shown',
    tag,
    scope: 'admin',
    params: shapes.secretParams,
    body: shapes.secretValue,
    success: { status: 200, description: 'The secret without its value', schema: shapes.secretView },
    handle: ({ principal, params, body }) =>
      setSecret(context, principal, keyOf(params), { name: params.name, value: body.value }),
  }),
  jsonRoute({
    method: 'delete',
    path: `${secretsPath}/{name}`,
    name: 'deleteSecret',
    summary: 'Delete a secret',
    tag,
    scope: 'admin',
    params: shapes.secretParams,
    success: { status: 204, description: 'Deleted' },
    handle: ({ principal, params }) => deleteSecret(context, principal, keyOf(params), params.name),
  }),
];
