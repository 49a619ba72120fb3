import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ZodType } from 'zod';
import { createApp } from '../../src/app.ts';
import type { Context } from '../../src/context.ts';
import { problemSchema } from '../../src/http/problem.ts';
import { createMetrics } from '../../src/metrics.ts';
import * as jobShapes from '../../src/jobs/schema.ts';
import * as environmentShapes from '../../src/environments/schema.ts';
import * as projectShapes from '../../src/projects/schema.ts';
import * as runShapes from '../../src/runs/schema.ts';
import { deliveryList } from '../../src/webhooks/schema.ts';
import { deployProject, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;
let document: any;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
  document = (await system.call('GET', '/api/openapi.json')).body;
});
afterAll(() => system.stop());

interface Stack {
  stack: { handle: unknown; route?: { path: string | string[]; methods: Record<string, boolean> } }[];
}

/** Every method and path that the router of Express has, as the document would write them. */
function routesOf(router: Stack): string[] {
  return router.stack.flatMap(({ route, handle }) => {
    if (route === undefined) return 'stack' in (handle as object) ? routesOf(handle as Stack) : [];
    const methods = Object.keys(route.methods).filter((method) => method !== '_all');
    return [route.path]
      .flat()
      .map((path) => path.replace(/[:*](\w+)/g, '{$1}'))
      .flatMap((path) => methods.map((method) => `${method} ${path}`));
  });
}

const operations = (): [string, any][] =>
  Object.entries<object>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, any] => [`${method} ${path}`, operation]),
  );

function valuesOf(key: string, node: unknown): unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([name, value]) => [
    ...(name === key ? [value] : []),
    ...valuesOf(key, value),
  ]);
}

describe('the OpenAPI document', () => {
  test('is of version 3.1 and served to anybody', async () => {
    const response = await fetch(`${system.url}/api/openapi.json`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      openapi: expect.stringMatching(/^3\.1\.\d$/),
      info: { title: 'dctl' },
    });
  });

  test('names every route of the router, and no other', () => {
    const config = { DCTL_MAX_BODY_BYTES: 1, DCTL_RATE_PER_TOKEN: 0, DCTL_RATE_PER_ADDRESS: 0 };
    const app = createApp({ config, metrics: createMetrics() } as Context);
    const routes = routesOf(app.router as unknown as Stack).filter(
      (route) => !/^get (\/api\/openapi\.json|\/api\/docs.*|\/console.*)$/.test(route),
    );
    expect(
      operations()
        .map(([name]) => name)
        .toSorted(),
    ).toEqual(routes.toSorted());
    expect(routes.length).toBeGreaterThan(20);
  });

  test('refers only to what it holds', () => {
    const references = valuesOf('$ref', document) as string[];
    expect(references.length).toBeGreaterThan(10);
    for (const reference of references) {
      const steps = reference.replace(/^#\//, '').split('/');
      const found = steps.reduce((node, step) => node?.[step], document);
      expect({ reference, isObject: typeof found }).toEqual({ reference, isObject: 'object' });
    }
  });

  test('declares each parameter of each path, and none that the path lacks', () => {
    for (const [name, { parameters = [] }] of operations()) {
      const inPath = parameters.filter((each: any) => each.in === 'path');
      const declared = inPath.map((each: any) => each.name).toSorted();
      expect({ name, declared }).toEqual({
        name,
        declared: [...name.matchAll(/\{(\w+)\}/g)].map(([, found]) => found!).toSorted(),
      });
      expect(inPath.every((each: any) => each.required === true && each.schema !== undefined)).toBe(true);
    }
  });

  test('gives each operation an id of its own, words for people, its answer and how it is refused', () => {
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [name, operation] of operations()) {
      expect({ name, ...operation }).toMatchObject({
        name,
        summary: expect.stringMatching(/\w/),
        tags: [expect.any(String)],
      });
      const statuses = Object.keys(operation.responses);
      expect({ name, statuses }).toEqual({
        name,
        statuses: [expect.stringMatching(/^(2\d\d|302)$/), 'default'],
      });
      const refusal = / \/api\/v[23]\//.test(name) ? 'application/json' : 'application/problem+json';
      expect(operation.responses.default.content).toHaveProperty([refusal, 'schema']);
    }
  });

  test('asks for a token everywhere but where none is needed', () => {
    expect(document.security).toEqual([{ token: [] }, { session: [] }]);
    expect(document.components.securitySchemes.token).toMatchObject({ type: 'http', scheme: 'bearer' });
    const open = operations().filter(([, { security }]) => security !== undefined);
    expect(open.map(([name]) => name).toSorted()).toEqual([
      'delete /api/v1/session',
      'get /',
      'get /api/v1/session/open-id',
      'get /api/v1/session/open-id/callback',
      'get /api/v1/session/ways',
      'get /livez',
      'get /metrics',
      'get /readyz',
      'post /api/v1/events/{id}',
      'post /api/v1/invitations/accept',
      'post /api/v1/invitations/look-up',
      'post /api/v1/session',
    ]);
  });
});

test('real answers have the documented shapes and no field beyond them', async () => {
  const at = `/api/v1/projects/${project.projectId}`;
  const { body: triggered } = await system.call('POST', `${at}/jobs/${project.jobId}/trigger`, {
    metadata: { a: 1 },
  });
  const run = `/api/v1/runs/${triggered.job_run_id}`;
  const shapes: [string, ZodType][] = [
    ['/api/v1/projects', projectShapes.projectList],
    [at, projectShapes.projectView],
    [`${at}/deployments`, projectShapes.deploymentList],
    [`${at}/environments`, environmentShapes.environmentList],
    [`${at}/jobs`, jobShapes.jobList],
    [`${at}/jobs/${project.jobId}`, jobShapes.jobView],
    [`${at}/jobs/${project.jobId}/deliveries`, deliveryList],
    ['/api/v1/runs', runShapes.runList],
    [run, runShapes.runView],
    [`${run}/nodes`, runShapes.nodeList],
    [`${run}/artifacts`, runShapes.artifactList],
    ['/api/v1/runs/none', problemSchema],
  ];
  expect(runShapes.triggered.parse(triggered)).toEqual(triggered);
  for (const [path, shape] of shapes) {
    const { body } = await system.call('GET', path);
    expect({ path, body: shape.parse(body) }).toEqual({ path, body });
  }
});
