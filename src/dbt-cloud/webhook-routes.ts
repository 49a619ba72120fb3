import type { Context } from '../context.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { deleteSubscription } from '../webhooks/subscriptions.ts';
import { requireAccount } from './accounts.ts';
import { envelope, enveloped, envelopedList, envelopeOfList } from './envelope.ts';
import { accountParams } from './schema.ts';
import * as shapes from './webhook-schema.ts';
import { createWebhook, getWebhook, listWebhooks, replaceWebhook, testWebhook } from './webhooks.ts';

const tag = 'dbt Cloud';
const subscriptions = '/api/v3/accounts/{account_id}/webhooks/subscriptions';
const subscription = '/api/v3/accounts/{account_id}/webhooks/subscription/{webhook_id}';

/** Receivers of the events of several jobs. Their deliveries are in our own API, beside those of jobs. */
export const dbtCloudWebhookRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: subscriptions,
    name: 'listWebhooks_v3',
    summary: 'Webhook subscriptions, oldest first',
    tag,
    scope: 'read',
    params: accountParams,
    query: shapes.webhooksQuery,
    success: { status: 200, description: 'A page', schema: envelopedList(shapes.webhookView) },
    handle: async ({ principal, params, query }) => {
      const { id } = await requireAccount(context, principal, params.account_id);
      const { webhooks, total } = await listWebhooks(context, principal, id, query);
      return envelopeOfList(webhooks, { ...query, order_by: 'created_at' }, total);
    },
  }),
  jsonRoute({
    method: 'post',
    path: subscriptions,
    name: 'createWebhook_v3',
    summary: 'Subscribe a receiver; the answer is the only one that shows its secret',
    tag,
    scope: 'admin',
    params: accountParams,
    body: shapes.webhook,
    success: { status: 201, description: 'The subscription', schema: enveloped(shapes.webhookView) },
    handle: async ({ principal, params, body, answerHeader }) => {
      const { id } = await requireAccount(context, principal, params.account_id);
      answerHeader('Cache-Control', 'no-store');
      const made = envelope(await createWebhook(context, principal, id, body));
      return { ...made, status: { ...made.status, code: 201 } };
    },
  }),
  jsonRoute({
    method: 'get',
    path: subscription,
    name: 'getWebhook_v3',
    summary: 'A webhook subscription',
    tag,
    scope: 'read',
    params: shapes.webhookParams,
    success: { status: 200, description: 'The subscription', schema: enveloped(shapes.webhookView) },
    handle: async ({ principal, params }) => {
      const { id } = await requireAccount(context, principal, params.account_id);
      return envelope(await getWebhook(context, principal, id, params.webhook_id));
    },
  }),
  jsonRoute({
    method: 'put',
    path: subscription,
    name: 'replaceWebhook_v3',
    summary: 'Replace a webhook subscription; its secret stays',
    tag,
    scope: 'admin',
    params: shapes.webhookParams,
    body: shapes.webhook,
    success: { status: 200, description: 'The subscription', schema: enveloped(shapes.webhookView) },
    handle: async ({ principal, params, body }) => {
      const { id } = await requireAccount(context, principal, params.account_id);
      return envelope(await replaceWebhook(context, principal, id, params.webhook_id, body));
    },
  }),
  jsonRoute({
    method: 'delete',
    path: subscription,
    name: 'deleteWebhook_v3',
    summary: 'Delete a webhook subscription; what it told stays readable',
    tag,
    scope: 'admin',
    params: shapes.webhookParams,
    success: { status: 200, description: 'Deleted', schema: enveloped(shapes.webhookDeleted) },
    handle: async ({ principal, params }) => {
      await requireAccount(context, principal, params.account_id);
      await deleteSubscription(context, principal, params.webhook_id);
      return envelope({ id: params.webhook_id });
    },
  }),
  ...(['get', 'post'] as const).map((method) =>
    jsonRoute({
      method,
      acts: method === 'get',
      path: `${subscription}/test`,
      name: method === 'get' ? 'testWebhookByGet_v3' : 'testWebhook_v3',
      summary: 'Send a test to the receiver, and wait for what becomes of it',
      tag,
      scope: 'admin',
      params: shapes.webhookParams,
      success: { status: 200, description: 'What came of it', schema: enveloped(shapes.webhookTested) },
      handle: async ({ principal, params, signal }) => {
        const { id: accountId } = await requireAccount(context, principal, params.account_id);
        const tested = { accountId, id: params.webhook_id, isGet: method === 'get' };
        return envelope(await testWebhook(context, principal, tested, signal));
      },
    }),
  ),
];
