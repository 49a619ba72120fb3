import type { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Caller, Principal } from '../context.ts';
import { patiently } from '../db.ts';
import type { Scope } from '../scopes.ts';
import type { Log } from '../log.ts';

type Shape = z.ZodObject;

/** What a handler is given: everything parsed, nothing raw. */
export interface Asked<Params extends Shape, Query extends Shape, Body extends z.ZodType> {
  principal: Principal;
  /** Who asks; nobody where the route's scope is null. */
  caller: Caller;
  params: z.output<Params>;
  query: z.output<Query>;
  body: z.output<Body>;
  /** The raw body, for routes that take a file. */
  upload: Readable;
  /** The body as it came, for routes that are signed. */
  bytes: Buffer;
  /** For routes that are signed: counts the request for whoever it is from; null: for its address. Throws when there were too many. */
  count(caller: Caller | null): Promise<void>;
  header(name: string): string | undefined;
  /** Where the request came from: past the proxies that are trusted. */
  address: string;
  /** Whether the request came over https. */
  isSecure: boolean;
  /** Sets a header of the answer. */
  answerHeader(name: string, value: string): void;
  /** Aborts when the caller goes away. */
  signal: AbortSignal;
  log: Log;
}

/**
 * One endpoint: where it is, what it takes and answers (checked at the edge, and shown in the OpenAPI document),
 * who may call it, and what it does. Paths name parameters in braces: `/api/v1/runs/{run_id}`.
 */
export interface Route {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  path: string;
  /** The operation's name in the OpenAPI document. */
  name: string;
  summary: string;
  tag: string;
  /**
   * The scope a token needs, or a user's role gives; null where nobody is asked who they are. `known`: anybody that the
   * server knows, whatever the organization; `principal` is nobody's then, and `caller` says who asks.
   */
  scope: Scope | 'known' | null;
  params: Shape | undefined;
  query: Shape | undefined;
  headers: Shape | undefined;
  body: z.ZodType | undefined;
  /** The content type of an uploaded file, for routes that take one in place of JSON. */
  uploads: string | undefined;
  /**
   * Whether a request shows by itself where it comes from, by a signature of its body, say: the handler is given that as
   * it came, finds out, and has it counted. Its scope is null.
   */
  signed: boolean;
  /** Whether a body is read as JSON whatever its content type says: `curl -d` alone calls it a form. */
  anyType: boolean;
  /** A GET that changes something. It is no HEAD. */
  acts: boolean;
  /** How long a call waits for a database that is away before it is 503. Only where it changes nothing. */
  patienceMs: number;
  success: { status: number; description: string; schema?: z.ZodType; contentType?: string };
  run(asked: Asked<Shape, Shape, z.ZodType>, request: Request, response: Response): Promise<void>;
}

interface Described<Params extends Shape, Query extends Shape, Body extends z.ZodType> {
  method: Route['method'];
  path: string;
  name: string;
  summary: string;
  tag: string;
  scope: Route['scope'];
  params?: Params;
  query?: Query;
  headers?: Shape;
  body?: Body;
  uploads?: string;
  signed?: boolean;
  anyType?: boolean;
  acts?: boolean;
  patienceMs?: number;
}

/** A route that answers with one JSON value, or with nothing (status 204). */
export function jsonRoute<
  Params extends Shape,
  Query extends Shape,
  Body extends z.ZodType,
  Answer extends z.ZodType,
>(
  described: Described<Params, Query, Body> & {
    success: { status: number; description: string; schema?: Answer };
    handle(asked: Asked<Params, Query, Body>): Promise<z.input<Answer>>;
  },
): Route {
  const { success, handle, patienceMs: forMs = 0 } = described;
  return {
    ...withDefaults(described),
    success,
    async run(asked, _request, response) {
      const body = forMs === 0 ? await handle(asked) : await patiently(() => handle(asked), { forMs });
      response.statusCode = success.status;
      if (success.schema === undefined) return void response.end();
      const text = JSON.stringify(body);
      response.setHeader('Content-Type', 'application/json; charset=utf-8');
      response.setHeader('Content-Length', Buffer.byteLength(text));
      response.end(text);
    },
  };
}

/** A route that writes its answer itself: text, a file, a stream. */
export function streamRoute<Params extends Shape, Query extends Shape, Body extends z.ZodType>(
  described: Described<Params, Query, Body> & {
    success: { status: number; description: string; contentType: string };
    handle(asked: Asked<Params, Query, Body>, response: Response): Promise<void>;
  },
): Route {
  const { success, handle } = described;
  return {
    ...withDefaults(described),
    success,
    run: (asked, _request, response) => handle(asked, response),
  };
}

function withDefaults<Params extends Shape, Query extends Shape, Body extends z.ZodType>(
  described: Described<Params, Query, Body>,
) {
  const { method, path, name, summary, tag, scope, params, query, headers, body, uploads } = described;
  const { signed = false, anyType = false, acts = false, patienceMs = 0 } = described;
  return {
    method,
    path,
    name,
    summary,
    tag,
    scope,
    params,
    query,
    headers,
    body,
    uploads,
    signed,
    anyType,
    acts,
    patienceMs,
  };
}
