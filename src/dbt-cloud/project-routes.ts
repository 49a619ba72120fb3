import { z } from 'zod';
import type { Context } from '../context.ts';
import { AppError } from '../errors.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { envelope, enveloped, envelopedList } from './envelope.ts';
import { requireJob } from './jobs.ts';
import { environmentsOf, getEnvironment, getProject, projectsOf } from './projects.ts';
import * as queries from './queries.ts';
import * as shapes from './schema.ts';
import { refuseVariable } from './variables.ts';

const tag = 'dbt Cloud';

/** Projects and their environments, which clients read under either version. */
export const projectRoutes = (context: Context): Route[] =>
  (['v2', 'v3'] as const).flatMap((version) => {
    const account = `/api/${version}/accounts/{account_id}`;
    const project = `${account}/projects/{project_id}`;
    const oneEnvironment = {
      status: 200,
      description: 'The environment',
      schema: enveloped(shapes.environment),
    };
    const environments = {
      status: 200,
      description: 'A page of environments',
      schema: envelopedList(shapes.environment),
    };
    return [
      jsonRoute({
        method: 'get',
        path: `${account}/projects`,
        name: `listProjects_${version}`,
        summary: "The account's projects",
        tag,
        scope: 'read',
        params: shapes.accountParams,
        query: queries.projectQuery,
        success: { status: 200, description: 'A page of projects', schema: envelopedList(shapes.project) },
        handle: ({ principal, params, query }) => projectsOf(context, principal, params.account_id, query),
      }),
      jsonRoute({
        method: 'get',
        path: project,
        name: `getProject_${version}`,
        summary: 'A project',
        tag,
        scope: 'read',
        params: shapes.projectParams,
        success: { status: 200, description: 'The project', schema: enveloped(shapes.project) },
        handle: async ({ principal, params }) => envelope(await getProject(context, principal, params)),
      }),
      jsonRoute({
        method: 'get',
        path: `${account}/environments`,
        name: `listEnvironments_${version}`,
        summary: "The account's environments, or those of some projects",
        tag,
        scope: 'read',
        params: shapes.accountParams,
        query: queries.environmentQuery,
        success: environments,
        handle: ({ principal, params, query }) =>
          environmentsOf(context, principal, { accountId: params.account_id }, query),
      }),
      jsonRoute({
        method: 'get',
        path: `${account}/environments/{environment_id}`,
        name: `getEnvironment_${version}`,
        summary: 'An environment',
        tag,
        scope: 'read',
        params: shapes.environmentParams,
        success: oneEnvironment,
        handle: async ({ principal, params }) => envelope(await getEnvironment(context, principal, params)),
      }),
      jsonRoute({
        method: 'get',
        path: `${project}/environments`,
        name: `listEnvironmentsOfProject_${version}`,
        summary: "A project's environments",
        tag,
        scope: 'read',
        params: shapes.projectParams,
        query: queries.environmentQuery,
        success: environments,
        handle: ({ principal, params, query }) => {
          const where = { accountId: params.account_id, projectNumber: params.project_id };
          return environmentsOf(context, principal, where, query);
        },
      }),
      jsonRoute({
        method: 'get',
        path: `${project}/environments/{environment_id}`,
        name: `getEnvironmentOfProject_${version}`,
        summary: "A project's environment",
        tag,
        scope: 'read',
        params: shapes.environmentOfProjectParams,
        success: oneEnvironment,
        handle: async ({ principal, params }) => envelope(await getEnvironment(context, principal, params)),
      }),
    ];
  });

const variables = '/api/v3/accounts/{account_id}/projects/{project_id}/environment-variables';
const noVariables = z.record(z.string(), z.never());

/** Clients look for a job's own variables; there are none, and none can be set. */
export const variableRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: `${variables}/job`,
    name: 'listJobVariables_v3',
    summary: "A job's own environment variables: none, since variables belong to environments",
    tag,
    scope: 'read',
    params: shapes.projectParams,
    query: queries.variableQuery,
    success: { status: 200, description: 'An empty object', schema: enveloped(noVariables) },
    handle: async ({ principal, params, query }) => {
      await getProject(context, principal, params);
      const { job_definition_id: job } = query;
      if (job !== undefined) await requireJob(context, principal, { ...params, job_id: job[0] ?? 0 });
      return envelope({});
    },
  }),
  jsonRoute({
    method: 'post',
    path: variables,
    name: 'createVariable_v3',
    summary: 'Always refused: variables are set on an environment, in our own API',
    tag,
    scope: 'admin',
    params: shapes.projectParams,
    success: { status: 200, description: 'Never', schema: enveloped(z.null()) },
    handle: ({ principal, params }) => refuseVariable(context, principal, params),
  }),
  ...(['post', 'delete'] as const).map((method) =>
    jsonRoute({
      method,
      path: `${variables}/{variable_id}`,
      name: method === 'post' ? 'changeVariable_v3' : 'deleteVariable_v3',
      summary: 'Not found: there are no variables of jobs',
      tag,
      scope: 'admin',
      params: shapes.variableParams,
      success: { status: 200, description: 'Never', schema: enveloped(z.null()) },
      handle: async ({ principal, params }) => {
        await getProject(context, principal, params);
        throw new AppError('not_found', 'There is no such variable: jobs have none of their own.');
      },
    }),
  ),
];
