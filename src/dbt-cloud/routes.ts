import type { Context } from '../context.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { accountOf, requireAccount } from './accounts.ts';
import { envelope, enveloped, envelopedList, envelopeOfList } from './envelope.ts';
import { jobRoutes } from './job-routes.ts';
import { projectRoutes, variableRoutes } from './project-routes.ts';
import { runRoutes } from './run-routes.ts';
import * as shapes from './schema.ts';

const tag = 'dbt Cloud';

/** dbt Cloud's API, as its clients know it, over the same operations as our own. */
export const dbtCloudRoutes = (context: Context): Route[] => [
  ...accountRoutes(context),
  ...projectRoutes(context),
  ...variableRoutes(context),
  ...jobRoutes(context),
  ...runRoutes(context),
];

const accountRoutes = (context: Context): Route[] =>
  (['v2', 'v3'] as const).flatMap((version) => [
    jsonRoute({
      method: 'get',
      path: `/api/${version}/accounts`,
      name: `listAccounts_${version}`,
      summary: "The caller's account",
      tag,
      scope: 'read',
      success: { status: 200, description: 'One account', schema: envelopedList(shapes.account) },
      handle: async ({ principal }) =>
        envelopeOfList([await accountOf(context, principal)], { limit: 100, offset: 0, order_by: 'id' }, 1),
    }),
    jsonRoute({
      method: 'get',
      path: `/api/${version}/accounts/{account_id}`,
      name: `getAccount_${version}`,
      summary: 'An account: an organization',
      tag,
      scope: 'read',
      params: shapes.accountParams,
      success: { status: 200, description: 'The account', schema: enveloped(shapes.account) },
      handle: async ({ principal, params }) =>
        envelope(await requireAccount(context, principal, params.account_id)),
    }),
  ]);
