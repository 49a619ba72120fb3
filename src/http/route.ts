import type { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Principal, Scope } from '../context.ts';
import type { Log } from '../log.ts';

type Shape = z.ZodObject;

/** What a handler is given: everything parsed, nothing raw. */
export interface Asked<Params extends Shape, Query extends Shape, Body extends z.ZodType> {
  principal: Principal;
  params: z.output<Params>;
  query: z.output<Query>;
  body: z.output<Body>;
  /** The raw body, for routes that take a file. */
  upload: Readable;
  header(name: string): string | undefined;
  /** Aborts when the caller goes away. */
  signal: AbortSignal;
  log: Log;
}

/**
 * One endpoint: where it is, what it takes and answers (checked at the edge, and shown in the OpenAPI document),
 * who may call it, and what it does. Paths name parameters in braces: `/api/v1/runs/{run_id}`.
 */
export interface Route {
  method: 'get' | 'post' | 'patch' | 'delete';
  path: string;
  /** The operation's name in the OpenAPI document. */
  name: string;
  summary: string;
  tag: string;
  /** The scope a token needs; null where no token is asked for. */
  scope: Scope | null;
  params: Shape | undefined;
  query: Shape | undefined;
  headers: Shape | undefined;
  body: z.ZodType | undefined;
  /** The content type of an uploaded file, for routes that take one in place of JSON. */
  uploads: string | undefined;
  success: { status: number; description: string; schema?: z.ZodType; contentType?: string };
  run(asked: Asked<Shape, Shape, z.ZodType>, request: Request, response: Response): Promise<void>;
}

interface Described<Params extends Shape, Query extends Shape, Body extends z.ZodType> {
  method: Route['method'];
  path: string;
  name: string;
  summary: string;
  tag: string;
  scope: Scope | null;
  params?: Params;
  query?: Query;
  headers?: Shape;
  body?: Body;
  uploads?: string;
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
  const { success, handle } = described;
  return {
    ...withDefaults(described),
    success,
    async run(asked, _request, response) {
      const body = await handle(asked);
      if (success.schema === undefined) response.status(success.status).end();
      else response.status(success.status).json(body);
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
  return { method, path, name, summary, tag, scope, params, query, headers, body, uploads };
}
