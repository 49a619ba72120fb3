import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { dialectOf, problemSchema, type Dialect } from './problem.ts';
import type { Route } from './route.ts';

/** The OpenAPI 3.1 document of the given routes, from the very schemas they check with. */
export function openApiDocument(routes: Route[], dialects: Dialect[]) {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = route.path.replace('{+', '{');
    paths[path] = { ...paths[path], [route.method]: operation(route, dialects) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'dctl',
      version: '1',
      description: 'Runs dbt in containers, and tells whoever must know.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An API token (dctl_...)' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'dctl_session',
          description: 'A browser that is signed in',
        },
      },
    },
  });
}

const organizationHeader = z.object({
  'X-Organization-ID': z.string().optional().meta({
    description:
      "The token's organization, or one of the signed-in user's. May be left out by whoever belongs to one, as a token does.",
  }),
});

function operation(route: Route, dialects: Dialect[]): ZodOpenApiOperationObject {
  const { status, description, schema, contentType } = route.success;
  const content =
    schema !== undefined
      ? { content: { 'application/json': { schema } } }
      : contentType !== undefined
        ? { content: { [contentType]: { schema: z.string() } } }
        : {};
  const dialect = dialectOf(dialects, route.path);
  return {
    operationId: route.name,
    summary: route.summary,
    tags: [route.tag],
    ...(route.scope === null ? { security: [] } : {}),
    requestParams: {
      ...(route.params ? { path: route.params } : {}),
      ...(route.query ? { query: route.query } : {}),
      ...(route.scope === null || route.scope === 'known'
        ? {}
        : { header: organizationHeader.extend(route.headers?.shape ?? {}) }),
    },
    ...(route.uploads !== undefined
      ? {
          requestBody: {
            required: true,
            content: { [route.uploads]: { schema: z.string().meta({ format: 'binary' }) } },
          },
        }
      : route.body !== undefined
        ? {
            requestBody: {
              // Without a body nothing is said: as in an empty object.
              required: !route.body.safeParse({}).success,
              content: { 'application/json': { schema: route.body } },
            },
          }
        : {}),
    responses: {
      [String(status)]: { description, ...content },
      default: {
        description: 'A problem',
        content:
          dialect === undefined
            ? { 'application/problem+json': { schema: problemSchema } }
            : { 'application/json': { schema: dialect.schema } },
      },
    },
  };
}
