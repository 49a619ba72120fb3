import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { deployTelling, told } from '../runs/telling.ts';
import { onServer } from '../support/database.ts';
import {
  createJob,
  deployProject,
  ended,
  expectStatus,
  trigger,
  type DeployedProject,
} from '../support/project.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { secretsIn, storedText } from '../support/stored-text.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const name = `warehouse_${randomBytes(4).toString('hex')}`;
const password = `planted "${randomBytes(8).toString('hex')}" \\ {{ 1 }}`;

let system: System;
let project: DeployedProject;
let environment: string;
/** From where containers of runs are to the test's Postgres server. */
let line: Proxy;
let connection: Record<string, unknown>;

beforeAll(async () => {
  system = await startSystem();
  project = await deployProject(system);
  environment = `/api/v1/projects/${project.projectId}/environments/${project.environmentId}`;
  await onServer(`CREATE ROLE ${name} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
  await onServer(`CREATE DATABASE ${name} OWNER ${name}`);
  const network = await system.docker.getNetwork('dctl-runs').inspect();
  const host = network.IPAM!.Config![0]!['Gateway']!;
  const server = new URL(process.env['DCTL_TEST_POSTGRES_URL']!);
  line = await startProxy({ host: server.hostname, port: Number(server.port) }, { host });
  connection = { type: 'postgres', host, port: line.port, user: name, dbname: name, schema: 'shop' };
});
afterAll(async () => {
  await system.stop();
  await line.close();
  await onServer(`DROP DATABASE ${name} WITH (FORCE)`);
  await onServer(`DROP ROLE ${name}`);
});

async function connectWith(secret: string): Promise<void> {
  const change = { connection: { ...connection, password: secret } };
  await expectStatus(200, system.call('PATCH', environment, change));
}

test('the warehouse is asked with the password that is stored', async () => {
  await connectWith('a wrong password');
  const refused = await ended(system, await trigger(system, project));
  expect(refused).toMatchObject({ status: 'failed', nodes_succeeded: 0 });
  expect(refused.error_message).toMatch(/password authentication failed/);
});

test('the whole example is built in Postgres, through a generated profile with a secret password', async () => {
  await connectWith(password);
  const runId = await trigger(system, project);
  const container = system.docker.getContainer(`dctl-run-${runId}`);
  const inspected = await until(
    'the container runs',
    () => container.inspect().catch(() => undefined),
    (found) => found?.State.Running === true,
  );
  const run = await ended(system, runId);
  // 28 nodes, and the hook at the beginning.
  expect(run).toMatchObject({ status: 'success', nodes_total: 29, nodes_succeeded: 29 });

  const [{ orders }] = await inWarehouse('SELECT count(*)::int AS orders FROM shop.orders');
  expect(orders).toBeGreaterThan(10);

  const shown = [JSON.stringify(inspected)];
  for (const part of [
    '',
    '/nodes',
    '/logs',
    '/artifacts',
    '/artifacts/manifest.json',
    '/artifacts/run_results.json',
  ])
    shown.push((await expectStatus(200, system.call('GET', `/api/v1/runs/${runId}${part}`))).text);
  shown.push((await expectStatus(200, system.call('GET', environment))).text);
  shown.push(await storedText(system.pool));
  shown.push(JSON.stringify([system.api, ...system.workers].flatMap(({ lines }) => lines)));
  for (const text of shown) expect(secretsIn(text, { password })).toEqual([]);
});

test('a password that the warehouse gives back is masked', async () => {
  await inWarehouse(`CREATE TABLE told AS SELECT ${pg.escapeLiteral(password)}::text AS secret`);
  await inWarehouse(`ALTER TABLE told OWNER TO ${name}`);
  const leaky = await deployProject(system, { folder: join(import.meta.dirname, 'leaky') });
  const its = `/api/v1/projects/${leaky.projectId}/environments/${leaky.environmentId}`;
  await expectStatus(200, system.call('PATCH', its, { connection: { ...connection, password } }));
  const jobId = await createJob(system, leaky.projectId, { command: 'dbt run --select read_back' });
  const runId = await trigger(system, { ...leaky, jobId });
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  // dbt itself masks it in its log, and nowhere else.
  const compiled = `/api/v1/runs/${runId}/artifacts/compiled/leaky/models/read_back.sql`;
  const { text } = await expectStatus(200, system.call('GET', compiled));
  expect(text).toContain(`select '*****' as secret`);
});

test('a query says for which run it is, and what that one was triggered with, by the macro of the documentation', async () => {
  const telling = await deployTelling(system);
  const its = `/api/v1/projects/${telling.projectId}/environments/${telling.environmentId}`;
  await expectStatus(200, system.call('PATCH', its, { connection: { ...connection, password } }));
  const jobId = await createJob(system, telling.projectId, { command: 'dbt run-operation tell' });
  const cause = 'orders */ of s3://bucket/*.csv came "late" 🚚';
  const runId = await trigger(system, { ...telling, jobId }, { cause, metadata: { table: 'raw.orders' } });
  expect(await ended(system, runId)).toMatchObject({ status: 'success', cause });
  const [{ query }] = await told(system, runId);
  const [, comment] = /^\/\* (\{.*\}) \*\/\s+select current_query\(\)/.exec(query) ?? [];
  expect(JSON.parse(comment ?? query)).toEqual({
    app: 'dbt',
    node_id: null,
    run_id: runId,
    cause: cause.replace('*/', '* /').replace('/*', '/ *'),
    table: 'raw.orders',
  });
});

async function inWarehouse(sql: string): Promise<any[]> {
  const warehouse = new URL(process.env['DCTL_TEST_POSTGRES_URL']!);
  warehouse.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: warehouse.href });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
