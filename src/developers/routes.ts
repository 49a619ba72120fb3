import type { z } from 'zod';
import type { Context, Principal } from '../context.ts';
import * as hooks from '../hooks/hooks.ts';
import { secrets, variables } from '../hooks/values.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { jobsOf } from './jobs.ts';
import * as shapes from './schema.ts';
import { requireWorkspace } from './workspaces.ts';

const tag = 'Workspaces';
const below = '/developers/workspaces/{workspace_id}';

/** Erathos' orchestration API, as scripts written for it call it, over the same operations as our own. */
export const developerRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: `${below}/jobs`,
    name: 'listWorkspaceJobs',
    summary: 'The jobs whose runs a webhook can follow',
    tag,
    scope: 'read',
    params: shapes.workspaceParams,
    query: shapes.jobsQuery,
    success: { status: 200, description: 'Jobs, oldest first', schema: shapes.jobList },
    handle: async ({ principal, params, query }) => {
      await requireWorkspace(context, principal, params.workspace_id);
      return jobsOf(context, principal, query);
    },
  }),
  ...resourceRoutes(context, {
    path: 'variables',
    nouns: { one: 'variable', many: 'variables', operation: 'Variable' },
    param: 'variable_id',
    params: shapes.variableParams,
    form: shapes.newVariable,
    change: shapes.variableChange,
    view: shapes.variable,
    list: shapes.variableList,
    operations: variables,
  }),
  ...resourceRoutes(context, {
    path: 'secrets',
    nouns: { one: 'secret', many: 'secrets, without their values', operation: 'Secret' },
    param: 'secret_id',
    params: shapes.secretParams,
    form: shapes.newSecret,
    change: shapes.secretChange,
    view: shapes.secret,
    list: shapes.secretList,
    operations: secrets,
  }),
  ...resourceRoutes(context, {
    path: 'orchestration/webhooks',
    nouns: { one: 'webhook', many: 'webhooks', operation: 'Webhook' },
    param: 'hook_id',
    params: shapes.webhookParams,
    form: shapes.newWebhook,
    change: shapes.webhookChange,
    view: shapes.webhook,
    list: shapes.webhookList,
    operations: {
      list: hooks.hooksOf,
      get: hooks.getHook,
      create: hooks.createHook,
      change: hooks.changeHook,
      remove: hooks.deleteHook,
    },
  }),
];

interface Resource<Form extends z.ZodType, Change extends z.ZodType, Own extends { id: string }> {
  path: string;
  nouns: { one: string; many: string; operation: string };
  /** The name of its id in the path. */
  param: string;
  params: typeof shapes.workspaceParams;
  form: Form;
  change: Change;
  view: z.ZodType;
  list: z.ZodType;
  operations: {
    list(context: Context, principal: Principal, page: { limit: number }): Promise<{ data: Own[] }>;
    get(context: Context, principal: Principal, id: string): Promise<Own>;
    create(context: Context, principal: Principal, form: z.output<Form>): Promise<Own>;
    change(context: Context, principal: Principal, id: string, change: z.output<Change>): Promise<Own>;
    remove(context: Context, principal: Principal, id: string): Promise<void>;
  };
}

function resourceRoutes<Form extends z.ZodType, Change extends z.ZodType, Own extends { id: string }>(
  context: Context,
  { path, nouns, param, params, operations, ...resource }: Resource<Form, Change, Own>,
): Route[] {
  const { one, many, operation } = nouns;
  const whole = { path: `${below}/${path}`, tag, params: shapes.workspaceParams };
  const each = { path: `${below}/${path}/{${param}}`, tag, params };
  /** Throws for the workspaces of others. */
  const within = async (principal: Principal, asked: Record<string, string>) => {
    await requireWorkspace(context, principal, asked['workspace_id']!);
    return asked[param]!;
  };
  return [
    jsonRoute({
      ...whole,
      method: 'post',
      name: `createWorkspace${operation}`,
      summary: `Make a ${one}`,
      scope: 'admin',
      body: resource.form,
      anyType: true,
      success: { status: 201, description: `The ${one}`, schema: resource.view },
      handle: async ({ principal, params: asked, body }) => {
        await within(principal, asked);
        return inTheirWords(await operations.create(context, principal, body));
      },
    }),
    jsonRoute({
      ...whole,
      method: 'get',
      name: `listWorkspace${operation}s`,
      summary: `All ${many}`,
      scope: 'read',
      success: { status: 200, description: 'All of them, oldest first', schema: resource.list },
      handle: async ({ principal, params: asked }) => {
        await within(principal, asked);
        const { data } = await operations.list(context, principal, everything);
        return { count: data.length, results: data.map(inTheirWords) };
      },
    }),
    jsonRoute({
      ...each,
      method: 'get',
      name: `getWorkspace${operation}`,
      summary: `A ${one}`,
      scope: 'read',
      success: { status: 200, description: `The ${one}`, schema: resource.view },
      handle: async ({ principal, params: asked }) =>
        inTheirWords(await operations.get(context, principal, await within(principal, asked))),
    }),
    jsonRoute({
      ...each,
      method: 'put',
      name: `changeWorkspace${operation}`,
      summary: `Change a ${one}: what is left out stays as it is`,
      scope: 'admin',
      body: resource.change,
      anyType: true,
      success: { status: 200, description: `The ${one}`, schema: resource.view },
      handle: async ({ principal, params: asked, body }) => {
        const id = await within(principal, asked);
        return inTheirWords(await operations.change(context, principal, id, body));
      },
    }),
    jsonRoute({
      ...each,
      method: 'delete',
      name: `deleteWorkspace${operation}`,
      summary: `Delete a ${one}`,
      scope: 'admin',
      success: { status: 204, description: 'It is gone' },
      handle: async ({ principal, params: asked }) =>
        operations.remove(context, principal, await within(principal, asked)),
    }),
  ];
}

/** There are never so many of any of them. */
const everything = { limit: 1_000 };

function inTheirWords({ id, ...rest }: { id: string }) {
  return { _id: id, ...rest };
}
