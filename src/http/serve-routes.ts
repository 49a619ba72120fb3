import express, { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import type { Caller, Context, Principal } from '../context.ts';
import { patiently } from '../db.ts';
import { AppError, jsonPointer, type FieldProblem } from '../errors.ts';
import { limitAddresses, type RateLimits } from './rate-limits.ts';
import { readJson } from './read-json.ts';
import { requireScope } from './require-scope.ts';
import type { Asked, Route } from './route.ts';
import { sentenceOf } from './sentence-of-issue.ts';

export interface Authentication {
  /** Who is asking. Throws when the server does not know them. */
  callerOf(visit: Visit): Promise<Caller>;
  /** What they may do in the organization they ask about. Throws when they do not belong to it. */
  principalOf(caller: Caller, visit: Visit): Principal;
}

/** What of a request may tell who is asking. */
export interface Visit {
  method: string;
  /** Where it came from: past the proxies that are trusted. */
  address: string;
  header(name: string): string | undefined;
  params: Record<string, string>;
}

/** Puts routes behind authentication, limits, scope and body checks, in that order. */
export function serveRoutes(
  context: Context,
  routes: Route[],
  authentication: Authentication,
  limits: RateLimits,
): Router {
  const router = Router({ caseSensitive: true });
  const readBody = express.raw({ type: () => true, limit: context.config.DCTL_MAX_BODY_BYTES });

  async function identify(route: Route, visit: Visit, request: Request, response: Response): Promise<Caller> {
    if (route.signed) return nobody;
    if (route.scope === null) {
      await limits.countAddress(request, response);
      return nobody;
    }
    const look = () => authentication.callerOf(visit);
    const caller = await patiently(look, { forMs: route.patienceMs }).catch(async (error: unknown) => {
      // Wrong tokens have a limit of their own.
      if (error instanceof AppError && Object.keys(error.headers).length === 0)
        await limits.countAddress(request, response);
      throw error;
    });
    await limits.countCaller(caller, response);
    return caller;
  }

  for (const route of routes) {
    router[route.method](expressPath(route.path), async (request, response) => {
      // Express answers a HEAD with what a GET would do, and some clients' GETs do something.
      if (request.method === 'HEAD' && route.acts) refuseMethod(response, ['GET']);
      const visit = visitOf(request);
      const caller = await identify(route, visit, request, response);
      let principal = nobody.principal;
      if (route.scope !== null && route.scope !== 'known') {
        principal = authentication.principalOf(caller, visit);
        requireScope(principal, route.scope);
      }
      if (route.uploads !== undefined) requireContentType(request, route.uploads);
      else
        await new Promise<void>((resolve, reject) => {
          readBody(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
        });
      await route.run(
        ask(context, route, { request, response, visit, caller, principal, limits }),
        request,
        response,
      );
    });
  }
  // A name comes before an id that stands in the same place: of two paths, that with fewer ids is the address's own.
  const paths = [...new Set(routes.map((route) => route.path))].toSorted((a, b) => idsIn(a) - idsIn(b));
  for (const path of paths) {
    const allowed = routes.filter((route) => route.path === path).map((route) => route.method.toUpperCase());
    router.all(expressPath(path), limitAddresses(limits), (_request, response) =>
      refuseMethod(response, allowed),
    );
  }
  return router;
}

function idsIn(path: string): number {
  return path.split('{').length - 1;
}

function refuseMethod(response: Response, allowed: string[]): never {
  response.setHeader('Allow', allowed.join(', '));
  throw new AppError('method_not_allowed', `This address takes ${allowed.join(' and ')}.`);
}

const nobody = {
  kind: 'token',
  principal: {
    organizationId: '',
    scope: 'read',
    actor: { kind: 'system', id: null, name: 'nobody' },
  } as Principal,
} as const;

/** `{name}` becomes `:name`, `{+name}` the rest of the path. */
function expressPath(path: string): string {
  return path.replace(/\{\+(\w+)\}/g, '*$1').replace(/\{(\w+)\}/g, ':$1');
}

function visitOf(request: Request): Visit {
  const { method, ip: address = '' } = request;
  return {
    method,
    address,
    header: (name) => request.get(name),
    params: pathParams(request),
  };
}

function requireContentType(request: Request, wanted: string): void {
  if (request.is(wanted) !== false) return;
  throw new AppError(
    'unsupported_media_type',
    `Send the file itself as the body, with Content-Type: ${wanted}.`,
  );
}

function ask(
  context: Context,
  { params, query, body, uploads, signed, anyType }: Route,
  { request, response, visit, caller, principal, limits }: Visited,
) {
  const asked: Asked<z.ZodObject, z.ZodObject, z.ZodType> = {
    principal,
    caller,
    params: params === undefined ? {} : check(params, visit.params, 'path'),
    query: query === undefined ? {} : check(query, request.query, 'query'),
    body:
      uploads === undefined && !signed && body !== undefined
        ? check(body, readJson(request, anyType), 'body')
        : undefined,
    upload: request,
    get bytes() {
      return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    },
    count: (given) =>
      given === null ? limits.countAddress(request, response) : limits.countCaller(given, response),
    header: visit.header,
    address: visit.address,
    get isSecure() {
      return request.secure;
    },
    answerHeader: (name, value) => void response.setHeader(name, value),
    get signal() {
      return goneSignal(response);
    },
    log: context.log,
  };
  return asked;
}

interface Visited {
  request: Request;
  response: Response;
  visit: Visit;
  caller: Caller;
  principal: Principal;
  limits: RateLimits;
}

/** Made only where it is looked at: few handlers do. */
function goneSignal(response: Response): AbortSignal {
  const gone = new AbortController();
  if (response.closed) gone.abort();
  else response.on('close', () => gone.abort());
  return gone.signal;
}

function pathParams(request: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join('/') : value,
    ]),
  );
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
      detail: sentenceOf(issue),
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
