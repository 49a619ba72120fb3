import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import type { Context } from '../context.ts';
import type { Log } from '../log.ts';

/** Gives each request an id (the caller's own `X-Request-Id` where it is a plain one) and logs how it ended. */
export function logRequests(context: Context): RequestHandler {
  return (request, response, next) => {
    const given = request.get('x-request-id');
    const id = given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
    const startedAt = performance.now();
    response.locals['log'] = context.log.child({ request: id });
    response.setHeader('X-Request-Id', id);
    response.on('close', () => {
      requestLog(context, response).info(
        {
          method: request.method,
          path: request.originalUrl.split('?')[0],
          status: response.statusCode,
          ms: Math.round(performance.now() - startedAt),
          finished: response.writableFinished,
        },
        'request',
      );
    });
    next();
  };
}

export function requestLog(context: Context, response: Response): Log {
  return (response.locals['log'] as Log | undefined) ?? context.log;
}
