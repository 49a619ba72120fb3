import type { Context } from '../context.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { changeEnvironment, environmentsOf } from './environments.ts';
import * as shapes from './schema.ts';

const tag = 'Environments';

export const environmentRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: '/api/v1/projects/{project_id}/environments',
    name: 'listEnvironments',
    summary: "A project's environments",
    tag,
    scope: 'read',
    params: shapes.projectParams,
    success: { status: 200, description: 'Environments', schema: shapes.environmentList },
    handle: ({ principal, params }) => environmentsOf(context, principal, params.project_id),
  }),
  jsonRoute({
    method: 'patch',
    path: '/api/v1/projects/{project_id}/environments/{environment_id}',
    name: 'changeEnvironment',
    summary: 'Change what dbt is run with: image, memory, processors, network',
    tag,
    scope: 'admin',
    params: shapes.environmentParams,
    body: shapes.environmentChange,
    success: { status: 200, description: 'The environment', schema: shapes.environmentView },
    handle: ({ principal, params, body }) =>
      changeEnvironment(
        context,
        principal,
        { projectId: params.project_id, environmentId: params.environment_id },
        body,
      ),
  }),
];
