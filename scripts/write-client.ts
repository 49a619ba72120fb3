import { writeFileSync } from 'node:fs';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { format, resolveConfig } from 'prettier';
import { apiRoutes } from '../src/app.ts';
import type { Context } from '../src/context.ts';
import { dbtCloudDialects } from '../src/dbt-cloud/envelope.ts';
import { openApiDocument } from '../src/http/openapi.ts';
import { textProblems } from './text-problems.ts';

const file = 'client/operations.ts';

/** What is wrong with the file as it stands; empty when nothing is. */
export async function clientProblems(): Promise<string[]> {
  return textProblems(file, await clientText(), 'the routes say');
}

/** Writes client/operations.ts from the routes. */
export async function writeClient(): Promise<void> {
  writeFileSync(file, await clientText());
}

interface Operation {
  operationId: string;
  summary: string;
  parameters?: { name: string; in: string; required?: boolean; schema: JSONSchema }[];
  requestBody?: { content: Record<string, { schema: JSONSchema }>; required?: boolean };
  responses: Record<string, { content?: Record<string, { schema: JSONSchema }> }>;
}

/** The operations of our own API as a TypeScript module: where each is, what it takes and answers. */
async function clientText(): Promise<string> {
  const document = openApiDocument(apiRoutes(nothing as Context), dbtCloudDialects);
  const operations = Object.entries(document.paths ?? {})
    .filter(([path]) => path.startsWith('/api/v1/'))
    .flatMap(([path, methods]) =>
      Object.entries(methods ?? {}).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation: operation as Operation,
      })),
    );
  const schema: JSONSchema & { components: unknown } = {
    components: document.components,
    ...object(operations.map(({ operation }) => [operation.operationId, shapeOf(operation)])),
  };
  const types = await compile(schema, 'Operations', {
    bannerComment: '',
    format: false,
    unreachableDefinitions: false,
    strictIndexSignatures: true,
    maxItems: -1,
  });
  const places = operations.map(
    ({ method, path, operation }) => `${operation.operationId}: '${method} ${path}',`,
  );
  const text = [
    '// Made from the routes by `npm run docs`.',
    types,
    '/** Where each of them is. */',
    `export const places: { readonly [Name in keyof Operations]: string } = {\n${places.join('\n')}\n};`,
  ].join('\n\n');
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}

function shapeOf({ summary, parameters = [], requestBody, responses }: Operation): JSONSchema {
  const within = (place: string) => parameters.filter((each) => each.in === place);
  const shape = (place: string) =>
    object(within(place).map(({ name, schema, required }) => [name, schema, required === true]));
  const body = requestBody?.content['application/json']?.schema;
  const answer = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1];
  const json = answer?.content?.['application/json']?.schema;
  return {
    description: summary,
    ...object([
      ...(within('path').length > 0 ? [['path', shape('path')] as const] : []),
      ...(within('query').length > 0 ? [['query', shape('query'), false] as const] : []),
      ...(body === undefined ? [] : [['body', body] as const]),
      ['answer', json ?? (answer?.content === undefined ? { type: 'null' } : { type: 'string' })],
    ]),
  };
}

function object(
  properties: (readonly [name: string, schema: JSONSchema, isRequired?: boolean])[],
): JSONSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(properties.map(([name, schema]) => [name, schema])),
    required: properties.filter(([, , isRequired = true]) => isRequired).map(([name]) => name),
    additionalProperties: false,
  };
}

/** Routes are described without being called. */
const nothing: unknown = new Proxy(() => undefined, {
  get: (_target, key) => (key === Symbol.toPrimitive ? () => 0 : nothing),
  apply: () => nothing,
});
