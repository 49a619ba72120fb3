import type { Context } from '../context.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { auditEventsOf } from './audit-events.ts';
import * as shapes from './schema.ts';

export const auditRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: '/api/v1/audit',
    name: 'listAuditEvents',
    summary: 'Who did what in the organization',
    tag: 'Audit',
    scope: 'admin',
    query: shapes.auditQuery,
    success: { status: 200, description: 'Events, newest first', schema: shapes.auditList },
    handle: ({ principal, query }) => auditEventsOf(context, principal, query),
  }),
];
