import express, { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import type { Context, Principal, Scope } from '../context.ts';
import { scopes } from '../context.ts';
import { AppError, type FieldProblem } from '../errors.ts';
import { requestLog } from './request-log.ts';
import type { Asked, Route } from './route.ts';

export type Authenticate = (request: Request) => Promise<Principal>;

/** Puts routes behind authentication, scope and body checks, in that order. */
export function serveRoutes(context: Context, routes: Route[], authenticate: Authenticate): Router {
  const router = Router({ caseSensitive: true });
  const readBody = express.raw({ type: () => true, limit: context.config.DCTL_MAX_BODY_BYTES });

  for (const route of routes) {
    router[route.method](expressPath(route.path), async (request, response) => {
      const principal = route.scope === null ? nobody : await authenticate(request);
      if (route.scope !== null) requireScope(principal, route.scope);
      if (route.uploads !== undefined) requireContentType(request, route.uploads);
      else
        await new Promise<void>((resolve, reject) => {
          readBody(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
        });
      await route.run(ask(context, route, request, response, principal), request, response);
    });
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const allowed = routes.filter((route) => route.path === path).map((route) => route.method.toUpperCase());
    router.all(expressPath(path), (_request, response) => {
      response.setHeader('Allow', allowed.join(', '));
      throw new AppError('method_not_allowed', `This address takes ${allowed.join(' and ')}.`);
    });
  }
  return router;
}

const nobody: Principal = {
  organizationId: '',
  scope: 'read',
  actor: { kind: 'system', id: null, name: 'nobody' },
};

/** `{name}` becomes `:name`, `{+name}` the rest of the path. */
function expressPath(path: string): string {
  return path.replace(/\{\+(\w+)\}/g, '*$1').replace(/\{(\w+)\}/g, ':$1');
}

function requireScope(principal: Principal, needed: Scope): void {
  if (scopes.indexOf(principal.scope) >= scopes.indexOf(needed)) return;
  throw new AppError(
    'forbidden',
    `This call needs a token with the scope "${needed}"; this one has "${principal.scope}".`,
  );
}

function requireContentType(request: Request, wanted: string): void {
  if (request.is(wanted) !== false) return;
  throw new AppError(
    'unsupported_media_type',
    `Send the file itself as the body, with Content-Type: ${wanted}.`,
  );
}

function ask(context: Context, route: Route, request: Request, response: Response, principal: Principal) {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const asked: Asked<z.ZodObject, z.ZodObject, z.ZodType> = {
    principal,
    params: check(route.params ?? z.object({}), pathParams(request), 'path'),
    query: check(route.query ?? z.object({}), request.query, 'query'),
    body:
      route.uploads === undefined && route.body !== undefined
        ? check(route.body, readJson(request), 'body')
        : undefined,
    upload: request,
    header: (name) => request.get(name),
    signal: gone.signal,
    log: requestLog(context, response),
  };
  return asked;
}

function pathParams(request: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join('/') : value,
    ]),
  );
}

/** No body and an empty body are the same as `{}`, whatever the content type says. */
function readJson(request: Request): unknown {
  const bytes: unknown = request.body;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return {};
  if (request.is(['json', '+json']) === false) {
    throw new AppError(
      'unsupported_media_type',
      'Send the body as JSON, with Content-Type: application/json.',
    );
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new AppError('invalid_request', 'The body is not valid JSON in UTF-8.', { cause: error });
  }
}

function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: 'path' | 'query' | 'body',
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 20).map((issue): FieldProblem => {
    const position = issue.code === 'custom' ? (issue.params?.['position'] as number | undefined) : undefined;
    return {
      pointer: where === 'body' ? jsonPointer(issue.path) : `${where}.${issue.path.map(String).join('.')}`,
      detail: issue.message,
      ...(position === undefined ? {} : { position }),
    };
  });
  const first = problems[0];
  throw new AppError(
    'invalid_request',
    first === undefined ? 'The request is not valid.' : `${first.pointer || 'The body'}: ${first.detail}`,
    { problems },
  );
}

/** RFC 6901. */
function jsonPointer(path: PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
