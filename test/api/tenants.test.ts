import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { apiRoutes } from '../../src/app.ts';
import type { Context } from '../../src/context.ts';
import type { Route } from '../../src/http/route.ts';
import { createMetrics } from '../../src/metrics.ts';
import { scopes } from '../../src/scopes.ts';
import { asAnotherOrganization, insertToken, withToken } from '../support/organization.ts';
import { deployProject, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { addPerson, signIn } from '../support/session.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let stranger: System;
let project: DeployedProject;
let ours: Record<string, string>;

/** What the router itself is made of: a route that is added is tried here without a word. */
const routes = apiRoutes({ config: {}, metrics: createMetrics() } as Context);
const namesIn = ({ path }: Route) => [...path.matchAll(/\{\+?(\w+)\}/g)].map(([, name]) => name!);
const routesWithIds = routes.filter((route) => namesIn(route).length > 0);

/** For each name in a path, something of ours that has it. */
const idMakers: Record<string, () => Promise<string>> = {
  account_id: async () => system.organizationId,
  organization_id: async () => system.organizationId,
  user_id: async () => (await addPerson(system, 'viewer')).id,
  invitation_id: async () => {
    const wanted = { email: 'invited@example.com', role: 'viewer' };
    return (await expectStatus(201, system.call('POST', '/api/v1/invitations', wanted))).body.id;
  },
  token_id: async () =>
    (await expectStatus(201, system.call('POST', '/api/v1/tokens', { name: 'ours', scope: 'read' }))).body.id,
  project_id: async () => project.projectId,
  job_id: async () => project.jobId,
  environment_id: async () => project.environmentId,
  deployment_id: async () =>
    (await system.call('GET', `/api/v1/projects/${project.projectId}/deployments`)).body.data[0].id,
  run_id: () => trigger(system, project, { cause: 'ours alone' }),
  delivery_id: async () => {
    await system.pool.query(
      `INSERT INTO deliveries (id, job_id, kind, event, url, body, headers, secret, state)
       VALUES ('our-delivery', $1, 'test', 'job.completed', 'https://example.com', '{}', '', '', 'failed')`,
      [project.jobId],
    );
    return 'our-delivery';
  },
  webhook_id: async () => {
    await system.pool.query(
      `INSERT INTO webhook_subscriptions (id, organization_id, name, url, event_types, secret)
       VALUES ('our-subscription', $1, 'ours', 'https://example.com', '{job.run.started}', '')`,
      [system.organizationId],
    );
    return 'our-subscription';
  },
  subscription_id: async () => 'our-subscription',
  name: async () => {
    const { projectId, environmentId } = project;
    const path = `/api/v1/projects/${projectId}/environments/${environmentId}/secrets/OUR_SECRET`;
    await expectStatus(200, system.call('PUT', path, { value: 'ours' }));
    return 'OUR_SECRET';
  },
  path: async () => 'manifest.json',
  variable_id: async () => {
    const variable = { name: 'ours', value: 'ours' };
    return (await expectStatus(201, system.call('POST', '/api/v1/orchestration/variables', variable))).body
      .id;
  },
  secret_id: async () => {
    const secret = { name: 'ours', value: 'ours' };
    return (await expectStatus(201, system.call('POST', '/api/v1/orchestration/secrets', secret))).body.id;
  },
  hook_id: async () => {
    const hook = { url: 'https://example.com' };
    return (await expectStatus(201, system.call('POST', '/api/v1/hooks', hook))).body.id;
  },
  workspace_id: async () => system.organizationId,
  source_id: async () => newSource('ours'),
  rule_id: async () => {
    const source_id = await newSource('ours of a rule');
    const rule = { name: 'ours', source_id, job_id: project.jobId };
    return (await expectStatus(201, system.call('POST', '/api/v1/event-rules', rule))).body.id;
  },
  /** To whoever reads an event, to whoever sends a source. */
  id: async () => {
    const source = await newSource('ours of an event');
    await system.pool.query(
      `INSERT INTO events (id, organization_id, source_id, body) VALUES ($1, $2, $1, '{}')`,
      [source, system.organizationId],
    );
    return source;
  },
};

async function newSource(name: string): Promise<string> {
  const source = { name, auth: 'token' };
  return (await expectStatus(201, system.call('POST', '/api/v1/event-sources', source))).body.id;
}

/** What the dbt Cloud API calls the same things, by their ids. */
const numbers = new Map<string, string>();

async function readNumbers(): Promise<void> {
  for (const table of ['organizations', 'projects', 'environments', 'jobs', 'runs']) {
    const { rows } = await system.pool.query(`SELECT id, number FROM ${table}`);
    for (const { id, number } of rows) numbers.set(id, number);
  }
}

const subscription = {
  name: 'theirs',
  client_url: 'https://example.com',
  event_types: ['job.run.started'],
};

/** Bodies that routes take, where an empty one is not enough: so that only the id can be what is wrong. */
const bodies: Record<string, unknown> = {
  createJob: { name: 'theirs', command: 'dbt build' },
  createEnvironment: { name: 'theirs' },
  setSecret: { value: 'theirs' },
  previewHook: { run_id: 'theirs' },
  pruneDeployments: { keep: 1 },
  changeUser: { role: 'admin' },
  createWebhook_v3: subscription,
  replaceWebhook_v3: subscription,
  createWorkspaceVariable: { name: 'theirs', value: 'theirs' },
  createWorkspaceSecret: { name: 'theirs', value: 'theirs' },
  createWorkspaceWebhook: { url: 'https://example.com' },
};

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system, { name: 'ours' });
  stranger = await asAnotherOrganization(system);
  ours = {};
  for (const name of new Set(routesWithIds.flatMap(namesIn))) {
    const make = idMakers[name];
    if (make === undefined)
      throw new Error(
        `A route has {${name}} in its path: add to idMakers how something of ours with it is made.`,
      );
    ours[name] = await make();
  }
  await readNumbers();
});
afterAll(() => system.stop());

const unknown = '00000000-0000-4000-8000-000000000000';
const nameOf = ({ method, path }: Route) => `${method.toUpperCase()} ${path}`;

interface Caller {
  call: System['call'];
}

function callAs(who: Caller, route: Route, ids: Record<string, string>) {
  const isOurs = route.path.startsWith('/api/v1/');
  const named = (id: string) => (isOurs ? id : (numbers.get(id) ?? id));
  const path = route.path.replace(/\{\+?(\w+)\}/g, (_, name: string) => named(ids[name] ?? unknown));
  const method = route.method.toUpperCase();
  if (route.uploads !== undefined)
    return who.call(method, path, Buffer.from('x'), { 'content-type': route.uploads });
  if (route.body === undefined) return who.call(method, path);
  return who.call(method, path, bodies[route.name] ?? {});
}

test('each route with an id is tried with a body it takes', () => {
  const refused = routesWithIds.filter(
    ({ name, body }) => body !== undefined && !body.safeParse(bodies[name] ?? {}).success,
  );
  const advice = refused.map(({ name }) => `add to bodies what ${name} takes`);
  expect(advice).toEqual([]);
  expect(routesWithIds.length).toBeGreaterThan(30);
});

describe('to another organization', () => {
  test('everything that has an id looks as if it did not exist', async () => {
    for (const route of routesWithIds) {
      const foreign = await callAs(stranger, route, ours);
      const missing = await callAs(stranger, route, {});
      const where = nameOf(route);
      expect({ where, status: foreign.status }).toEqual({ where, status: 404 });
      expect({ where, text: foreign.text }).toEqual({ where, text: missing.text });
      expect(foreign.headers.get('content-length')).toBe(missing.headers.get('content-length'));
    }
  });

  test('so it does to somebody who is signed in there', async () => {
    const browser = await signIn(system, await addPerson(stranger, 'admin'));
    for (const route of routesWithIds) {
      const foreign = await callAs(browser, route, ours);
      const missing = await callAs(browser, route, {});
      const where = nameOf(route);
      expect({ where, status: foreign.status }).toEqual({ where, status: 404 });
      expect({ where, text: foreign.text }).toEqual({ where, text: missing.text });
    }
  });

  test('an id of ours below an id of theirs does not exist either', async () => {
    const { projectId } = await deployProject(stranger);
    const theirs: Record<string, string> = { project_id: projectId, workspace_id: stranger.organizationId };
    for (const route of routesWithIds) {
      const [first = '', ...more] = namesIn(route);
      if (!(first in theirs) || more.length === 0) continue;
      const answer = await callAs(stranger, route, { ...ours, ...theirs });
      const where = nameOf(route);
      expect({ where, status: answer.status }).toEqual({ where, status: 404 });
    }
  });

  test('lists hold nothing of ours', async () => {
    const other = await asAnotherOrganization(system);
    const ids = Object.entries(ours).filter(([name]) => name.endsWith('_id'));
    const lists = routes.filter((route) => route.method === 'get' && namesIn(route).length === 0);
    expect(lists.length).toBeGreaterThan(5);
    for (const route of lists) {
      const { text } = await callAs(other, route, {});
      const seen = ids.filter(([, id]) => text.includes(id)).map(([name]) => name);
      expect({ where: nameOf(route), seen }).toEqual({ where: nameOf(route), seen: [] });
    }
  });

  test('our organization in X-Organization-ID is refused like one that does not exist', async () => {
    const as = (id: string) =>
      stranger.call('GET', '/api/v1/projects', undefined, { 'x-organization-id': id });
    const [foreign, missing] = [await as(system.organizationId), await as('org-nothing')];
    expect(foreign.status).toBe(403);
    expect(foreign.text).toBe(missing.text);
  });

  test('nothing it tried has left a trace', async () => {
    const before = await rowsOfOurs();
    for (const route of routesWithIds) await callAs(stranger, route, ours);
    expect(await rowsOfOurs()).toEqual(before);
    expect(before.length).toBeGreaterThan(8);
  });
});

/** Every row that names something of ours, but for when a token was last used. */
async function rowsOfOurs(): Promise<string[]> {
  const { rows: tables } = await system.pool.query(
    "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema')",
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await system.pool.query(
      `SELECT (to_jsonb(t) - 'last_used_at')::text AS row FROM ${name} t`,
    );
    found.push(...rows.map(({ row }) => `${name} ${row}`));
  }
  const ids = Object.entries(ours).filter(([name]) => name.endsWith('_id'));
  return found.filter((row) => ids.some(([, id]) => row.includes(id))).toSorted();
}

test('each route refuses whoever may do less than it needs', async () => {
  for (const route of routes) {
    const { scope } = route;
    if (scope === null || scope === 'known') continue;
    for (const less of scopes.slice(0, scopes.indexOf(scope))) {
      const as = withToken(system, await insertToken(system, { scope: less }));
      const answer = await callAs(as, route, ours);
      const where = `${nameOf(route)} with ${less}`;
      expect({ where, status: answer.status }).toEqual({ where, status: 403 });
    }
  }
});

test('each route refuses whoever does not say who they are', async () => {
  const nobody: Caller = {
    call: (method, path, body, headers) => system.call(method, path, body, { ...headers, authorization: '' }),
  };
  for (const route of routes.filter(({ scope }) => scope !== null)) {
    const answer = await callAs(nobody, route, ours);
    const where = nameOf(route);
    expect({ where, status: answer.status }).toEqual({ where, status: 401 });
  }
});
