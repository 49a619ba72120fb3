import type { Context } from '../context.ts';
import { pageQuery } from '../paging.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { deliveriesOf } from './deliveries.ts';
import { deliveryList, deliveryParams } from './schema.ts';

export const webhookRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: '/api/v1/projects/{project_id}/jobs/{job_id}/deliveries',
    name: 'listDeliveries',
    summary: "A job's webhooks and what became of each try",
    tag: 'Webhooks',
    scope: 'read',
    params: deliveryParams,
    query: pageQuery,
    success: { status: 200, description: 'Deliveries, newest first', schema: deliveryList },
    handle: ({ principal, params, query }) =>
      deliveriesOf(context, principal, { projectId: params.project_id, jobId: params.job_id }, query),
  }),
];
