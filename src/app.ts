import express, { type Express } from 'express';
import { z } from 'zod';
import type { Context } from './context.ts';
import { AppError } from './errors.ts';
import { environmentRoutes } from './environments/routes.ts';
import { openApiDocument } from './http/openapi.ts';
import { answerErrors } from './http/problem.ts';
import { logRequests } from './http/request-log.ts';
import { jsonRoute, type Route } from './http/route.ts';
import { serveRoutes } from './http/serve-routes.ts';
import { jobRoutes } from './jobs/routes.ts';
import { projectRoutes } from './projects/routes.ts';
import { readiness } from './readiness.ts';
import { runRoutes } from './runs/routes.ts';
import { authenticate } from './tokens/authenticate.ts';
import { webhookRoutes } from './webhooks/routes.ts';

/** The whole HTTP API over one context. Does not listen. */
export function createApp(context: Context): Express {
  const routes: Route[] = [
    ...projectRoutes(context),
    ...environmentRoutes(context),
    ...jobRoutes(context),
    ...runRoutes(context),
    ...webhookRoutes(context),
    ...serverRoutes(context),
  ];
  const document = openApiDocument(routes);

  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(logRequests(context));
  app.use((request, _response, next) => {
    request.url = withPlainSlashes(request.url);
    next();
  });
  app.get('/api/openapi.json', (_request, response) => void response.json(document));
  app.use(
    serveRoutes(context, routes, (request) =>
      authenticate(context, {
        authorization: request.get('authorization'),
        organizationId: request.get('x-organization-id'),
      }),
    ),
  );
  app.use(() => {
    throw new AppError(
      'not_found',
      'There is nothing at this address. GET /api/openapi.json lists what there is.',
    );
  });
  app.use(answerErrors(context));
  return app;
}

/** Doubled slashes and one at the end make no other address. The query is left as it is. */
function withPlainSlashes(url: string): string {
  const [path = '/', ...query] = url.split('?');
  // A client that believes we are a proxy sends the whole address.
  const local = path.replace(/^https?:\/\/[^/]*/i, '');
  const plain = `/${local}`.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
  return [plain, ...query].join('?');
}

function serverRoutes(context: Context): Route[] {
  const status = z.object({ status: z.literal('ok') });
  return [
    jsonRoute({
      method: 'get',
      path: '/livez',
      name: 'isAlive',
      summary: 'Whether the process works at all',
      tag: 'Server',
      scope: null,
      success: { status: 200, description: 'It does', schema: status },
      handle: async () => ({ status: 'ok' as const }),
    }),
    jsonRoute({
      method: 'get',
      path: '/readyz',
      name: 'isReady',
      summary: 'Whether triggers can be taken; names what is wrong',
      tag: 'Server',
      scope: null,
      success: { status: 200, description: 'They can', schema: status },
      handle: async () => {
        const problems = await readiness(context);
        if (problems.length === 0) return { status: 'ok' as const };
        throw new AppError('unavailable', problems.map(({ detail }) => detail).join(' '), { problems });
      },
    }),
  ];
}
