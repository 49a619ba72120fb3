import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Context } from '../context.ts';
import { withLogFields } from '../log.ts';
import { isProbe } from './probes.ts';

/** Gives each request an id (the caller's own `X-Request-Id` where it is a plain one), counts it and logs how it ended. */
export function logRequests({ log, metrics }: Context): RequestHandler {
  return (request, response, next) => {
    const given = request.get('x-request-id');
    const id = given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
    const startedAt = performance.now();
    response.setHeader('X-Request-Id', id);
    response.on('close', () => {
      const tookMs = performance.now() - startedAt;
      // Set once a route was found. A path itself would be a label that never comes again.
      const route = (request.route as { path?: string } | undefined)?.path ?? 'none';
      const status = response.headersSent ? String(response.statusCode) : 'none';
      metrics.requests.observe({ method: request.method, route, status }, tookMs / 1_000);
      const path = request.originalUrl.split('?')[0] ?? '';
      // It may come on behalf of the connection, whose later requests are others.
      withLogFields({ request: id }, () =>
        log[isProbe(path) ? 'debug' : 'info'](
          {
            method: request.method,
            path,
            status: response.statusCode,
            ms: Math.round(tookMs),
            finished: response.writableFinished,
          },
          'request',
        ),
      );
    });
    withLogFields({ request: id }, next);
  };
}
