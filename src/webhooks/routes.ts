import type { Context } from '../context.ts';
import { pageQuery } from '../paging.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { deliveriesOf, deliveriesOfRun, deliveriesOfSubscription, getDeliveryInFull } from './deliveries.ts';
import * as shapes from './schema.ts';

const tag = 'Webhooks';

/** Reading. What sends one needs its job: `src/jobs/routes.ts`. */
export const webhookRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: '/api/v1/projects/{project_id}/jobs/{job_id}/deliveries',
    name: 'listDeliveries',
    summary: "A job's webhooks and what became of each try",
    tag,
    scope: 'read',
    params: shapes.deliveriesParams,
    query: shapes.deliveriesQuery,
    success: { status: 200, description: 'Deliveries, newest first', schema: shapes.deliveryList },
    handle: ({ principal, params, query: { run_id: runId, ...query } }) =>
      deliveriesOf(
        context,
        principal,
        { projectId: params.project_id, jobId: params.job_id },
        { ...query, runId },
      ),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/runs/{run_id}/deliveries',
    name: 'listDeliveriesOfRun',
    summary: "A run's webhooks, and those sent again",
    tag,
    scope: 'read',
    params: shapes.deliveriesOfRunParams,
    query: pageQuery,
    success: { status: 200, description: 'Deliveries, newest first', schema: shapes.deliveryList },
    handle: ({ principal, params, query }) => deliveriesOfRun(context, principal, params.run_id, query),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/webhook-subscriptions/{subscription_id}/deliveries',
    name: 'listDeliveriesOfSubscription',
    summary: 'What a webhook subscription told, and what became of each try',
    tag,
    scope: 'read',
    params: shapes.deliveriesOfSubscriptionParams,
    query: shapes.deliveriesOfSubscriptionQuery,
    success: { status: 200, description: 'Deliveries, newest first', schema: shapes.deliveryList },
    handle: ({ principal, params, query }) =>
      deliveriesOfSubscription(context, principal, params.subscription_id, query),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/deliveries/{delivery_id}',
    name: 'getDelivery',
    summary: 'A webhook, what it says, and what became of each try',
    tag,
    scope: 'read',
    params: shapes.deliveryParams,
    success: { status: 200, description: 'The delivery', schema: shapes.deliveryInFull },
    handle: ({ principal, params }) => getDeliveryInFull(context, principal, params.delivery_id),
  }),
];
