import type { ErrorRequestHandler } from 'express';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { isDatabaseAway } from '../db.ts';
import { AppError } from '../errors.ts';

/** RFC 9457. `errors` names the fields that are wrong. */
export const problemSchema = z
  .object({
    type: z.string().meta({ example: 'urn:dctl:error:invalid_request' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    request_id: z.string().optional(),
    errors: z
      .array(z.object({ pointer: z.string(), detail: z.string(), position: z.number().int().optional() }))
      .optional(),
  })
  .meta({ id: 'Problem' });

export type Problem = z.input<typeof problemSchema>;

/** How addresses below a path tell of a problem, where whoever calls them knows another form. */
export interface Dialect {
  below: string;
  bodyOf(problem: Problem): object;
  /** What `bodyOf` makes. */
  schema: z.ZodType;
}

export function dialectOf(dialects: Dialect[], path: string): Dialect | undefined {
  return dialects.find(({ below }) => path === below || path.startsWith(`${below}/`));
}

/** The one place where an error becomes an answer. What nobody expected becomes a bare 500 with the request's id. */
export function answerErrors({ log }: Context, dialects: Dialect[]): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const refusal = asRefusal(error);
    if (refusal === undefined) log.error({ error }, 'a request failed unexpectedly');
    else if (refusal.status >= 500) log.warn({ error }, 'a request could not be served');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const requestId = String(response.getHeader('X-Request-Id') ?? '');
    if (refusal?.retryAfterSeconds !== undefined)
      response.setHeader('Retry-After', refusal.retryAfterSeconds);
    for (const [name, value] of Object.entries(refusal?.headers ?? {})) response.setHeader(name, value);
    // What the caller is still sending is read and thrown away: closing now could cost it this answer.
    request.resume();
    const problem: Problem = {
      type: `urn:dctl:error:${refusal?.code ?? 'internal'}`,
      title: refusal?.title ?? 'Something went wrong on our side',
      status: refusal?.status ?? 500,
      detail: refusal?.message ?? "The server's log has the details under this request's id.",
      ...(refusal === undefined ? { request_id: requestId } : {}),
      ...(refusal !== undefined && refusal.problems.length > 0 ? { errors: refusal.problems } : {}),
    };
    const dialect = dialectOf(dialects, request.path);
    const body = dialect === undefined ? problem : dialect.bodyOf(problem);
    const type = dialect === undefined ? 'application/problem+json' : 'application/json';
    response.status(problem.status).type(type).send(JSON.stringify(body));
  };
}

function asRefusal(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error;
  if (isDatabaseAway(error)) {
    return new AppError('unavailable', 'The database does not answer right now. Try again in a moment.', {
      retryAfterSeconds: 2,
      cause: error,
    });
  }
  // What body-parser and Express itself throw carries a status of its own.
  const { status, type } = error as { status?: unknown; type?: unknown };
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  if (status === 413)
    return new AppError('too_large', 'The body is larger than this server takes.', { cause: error });
  if (status === 415 || type === 'encoding.unsupported') {
    return new AppError('unsupported_media_type', "The body's encoding is not supported.", { cause: error });
  }
  return new AppError('invalid_request', 'The request could not be read.', { cause: error });
}
