import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { packFolder } from '../../scripts/setup/archive.ts';
import { asAnotherOrganization } from '../support/organization.ts';
import {
  createJob,
  deployProject,
  ended,
  expectStatus,
  trigger,
  type DeployedProject,
} from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { logOf } from '../worker/probe.ts';

let system: System;
let made: Readable;
/** What the engine said of each container that was made to prepare something. */
let containers = '';

beforeAll(async () => {
  system = await startSystem({ environment: { DCTL_LEASE_SECONDS: '3' } });
  made = (await system.docker.getEvents({
    filters: { type: ['container'], event: ['create'], label: ['dctl.preparation_id'] },
  })) as Readable;
  made.on('data', (events: Buffer) => (containers += events.toString()));
});
afterAll(async () => {
  made.destroy();
  await system.stop();
});

test('a deployment is prepared once, and its runs neither install, nor parse, nor write its manifest', async () => {
  const project = await deploy(withPackage('hello'));
  const [preparation] = await prepared(project);
  const ready = { state: 'ready', options: [], environment: 'production', error_message: null };
  expect(preparation).toMatchObject(ready);
  expect(preparation.output).toMatch(/Installing greetings[^]*full parse/);

  await expectStatus(200, system.call('POST', `${await deploymentPath(project)}/activate`));
  const built = await ended(system, await trigger(system, project));
  const override = { command_override: 'dbt run-operation greetings.greet' };
  const greeted = await ended(system, await trigger(system, project, override));
  for (const { id, status } of [built, greeted]) {
    expect(status).toBe('success');
    expect(await logOf(system, id)).not.toMatch(/Installing|full parse/);
  }
  expect(await logOf(system, greeted.id)).toContain('hello');
  // Its manifest is nobody's aim; what an operation writes is its own.
  expect(await usedBy(built.id)).not.toBeNull();
  expect(await usedBy(greeted.id)).toBeNull();
  expect(await containersMade(project)).toBe(1);

  expect((await artifactOf(built.id, 'manifest.json')).nodes).toHaveProperty(['model.tiny.one']);
  const { data } = (await system.call('GET', `/api/v1/runs/${built.id}/artifacts`)).body;
  const paths = data.map(({ path }: { path: string }) => path);
  expect(paths).toEqual(expect.arrayContaining(['semantic_manifest.json', 'run_results.json']));
});

test('a preparation that fails shows what dbt said, and runs say it as well', async () => {
  const project = await deploy({ 'models/broken.sql': `select * from {{ ref('nowhere') }}` });
  const [preparation] = await prepared(project);
  expect(preparation).toMatchObject({ state: 'failed', error_message: expect.stringContaining('nowhere') });
  expect(preparation.output).toContain('full parse');
  const run = await ended(system, await trigger(system, project));
  expect(run).toMatchObject({ status: 'failed', error_message: expect.stringContaining('nowhere') });
  // It would come to the same.
  expect(await containersMade(project)).toBe(1);

  const { data } = (await system.call('GET', dirname(await deploymentPath(project)))).body;
  expect(data[0].preparations).toMatchObject([{ error_message: preparation.error_message }]);
  expect(data[0].preparations[0]).not.toHaveProperty('output');
});

test('a job with --vars in its own command gets what was parsed with exactly those', async () => {
  const project = await deploy({});
  const command = `dbt run --vars '{"colour": "blue"}'`;
  const jobId = await createJob(system, project.projectId, { command });
  await prepared(project);
  const first = await ended(system, await trigger(system, { ...project, jobId }));
  expect(first.status).toBe('success');
  expect(await usedBy(first.id)).toBeNull();
  expect(await prepared(project)).toMatchObject([
    { options: [], state: 'ready' },
    { options: ['--vars', '{"colour": "blue"}'], state: 'ready' },
  ]);
  const second = await ended(system, await trigger(system, { ...project, jobId }));
  expect(await usedBy(second.id)).not.toBeNull();
  expect(await logOf(system, second.id)).not.toMatch(/full parse/);
});

test('a changed secret: a run writes its own manifest, the next has it prepared, and the secret is not stored', async () => {
  const secret = `planted-${randomBytes(8).toString('hex')}`;
  const project = await deploy({
    ...withPackage(secret),
    'models/telling.sql': `{{ config(tags=[env_var('TOLD', 'nothing')]) }} select '${secret}' as told`,
  });
  await prepared(project);
  const environment = environmentPath(project);
  await expectStatus(200, system.call('PUT', `${environment}/secrets/TOLD`, { value: secret }));
  const used = [];
  for (let round = 0; round < 2; round += 1) {
    const run = await ended(system, await trigger(system, project));
    expect(run.status).toBe('success');
    used.push((await usedBy(run.id)) !== null);
    const manifest = await artifactOf(run.id, 'manifest.json');
    expect(manifest.nodes['model.tiny.telling'].config.tags).toEqual(['*****']);
    expect(JSON.stringify(manifest)).not.toContain(secret);
    expect(await prepared(project)).toMatchObject([{ state: 'ready' }]);
  }
  expect(used).toEqual([false, true]);
  expect(await containersMade(project)).toBe(2);
  const stored = await storedOf(project);
  expect([...stored.keys()].map((path) => basename(path))).toEqual(
    expect.arrayContaining(['files.tar', 'manifest.json', 'semantic_manifest.json']),
  );
  for (const content of stored.values()) expect(content.includes(secret)).toBe(false);
});

test('prepared again for those who may deploy: what was stored is replaced, and no manifest holds the id of another run', async () => {
  const project = await deploy({
    'models/tagged.sql': `{{ config(tags=[env_var('DCTL_RUN_ID')]) }} select 1 as one`,
  });
  await prepared(project);
  const path = await deploymentPath(project);
  const before = [...(await storedOf(project)).keys()];
  const other = await asAnotherOrganization(system);
  expect((await other.call('POST', `${path}/prepare`)).status).toBe(404);
  const asked = await expectStatus(200, system.call('POST', `${path}/prepare`));
  expect(asked.body.preparations).toMatchObject([{ state: expect.stringMatching(/pending|preparing/) }]);
  expect(await prepared(project)).toMatchObject([{ state: 'ready' }]);
  expect(await containersMade(project)).toBe(2);
  const now = [...(await storedOf(project)).keys()];
  expect(now).toHaveLength(before.length);
  expect(before.filter((each) => now.includes(each))).toEqual([]);

  const run = await ended(system, await trigger(system, project));
  const { nodes } = await artifactOf(run.id, 'manifest.json');
  expect(nodes['model.tiny.tagged'].config.tags).toEqual([run.id]);
});

test('what a trigger says is in the manifest of its own run, where the project reads it when it is parsed', async () => {
  const project = await deploy({
    'models/named.sql': `{{ config(alias=env_var('DCTL_METADATA_LOAD', 'none')) }} select 1 as one`,
  });
  expect(await prepared(project)).toMatchObject([{ state: 'ready' }]);
  const run = await ended(system, await trigger(system, project, { metadata: { load: 'l4711' } }));
  const { nodes } = await artifactOf(run.id, 'manifest.json');
  expect(nodes['model.tiny.named'].alias).toBe('l4711');
});

test('of a deployment that is pruned nothing prepared is left', async () => {
  const project = await deploy({});
  await prepared(project);
  const path = await deploymentPath(project);
  expect((await storedOf(project, path)).size).toBeGreaterThan(0);
  await system.call('PATCH', `/api/v1/projects/${project.projectId}/jobs/${project.jobId}`, {
    enabled: false,
  });
  await deployInto(project, {});
  expect(await prepared(project)).toEqual([]);
  await expectStatus(204, system.call('DELETE', path));
  expect(await storedOf(project, path)).toEqual(new Map());
  const refused = await system.call('POST', `${path}/prepare`);
  expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('were removed') } });
});

test('an image that is not there is looked for three times, and then named', async () => {
  const project = await newProject();
  const image = { runner_image: 'nobody/has:this' };
  await expectStatus(200, system.call('PATCH', environmentPath(project), image));
  await deployInto(project, {});
  expect(await prepared(project)).toMatchObject([
    { state: 'failed', error_message: expect.stringContaining(image.runner_image) },
  ]);
  const query = 'SELECT attempts FROM preparations WHERE environment_id = $1';
  expect((await system.pool.query(query, [project.environmentId])).rows).toEqual([{ attempts: 3 }]);
});

test('of a SQLMesh project nothing is prepared', async () => {
  const project = await deployProject(system, { type: 'sqlmesh', folder: 'examples/sqlmesh_shop' });
  expect(await prepared(project)).toEqual([]);
  expect((await system.call('POST', `${await deploymentPath(project)}/prepare`)).status).toBe(409);
});

// Last: it leaves another worker than it found.
test('a worker that is killed while it prepares is replaced, and its container removed', async () => {
  const project = await deploy({ 'models/slow.sql': slowToParse });
  const [worker] = system.workers;
  await until(
    'it is being prepared',
    () => preparing(project),
    (found) => found.length === 1,
  );
  worker!.signal('SIGKILL');
  await worker!.ended;
  await system.startWorker({ DCTL_PREPARE_TIMEOUT_SECONDS: '1' });
  expect(await prepared(project, 30_000)).toMatchObject([
    { state: 'failed', error_message: 'It took longer than 1 seconds.' },
  ]);
  expect(await containersMade(project)).toBe(2);
  await until(
    'no container is left',
    () => preparing(project),
    (left) => left.length === 0,
  );
});

/** A project that is parsed at once. */
const tiny: Record<string, string> = {
  'dbt_project.yml': 'name: tiny\nversion: 1.0.0\nconfig-version: 2\nprofile: tiny\n',
  'profiles.yml': `tiny: { target: dev, outputs: { dev: { type: duckdb, path: ':memory:', threads: 1 } } }\n`,
  'models/one.sql': 'select 1 as one',
};

/** Files of a package, and what names it. */
function withPackage(says: string): Record<string, string> {
  return {
    'packages.yml': 'packages:\n  - local: greetings\n',
    'greetings/dbt_project.yml': 'name: greetings\nversion: 1.0.0\nconfig-version: 2\n',
    'greetings/macros/greet.sql': `{% macro greet() %}{{ log('${says}', info=True) }}{% endmacro %}`,
  };
}

const slowToParse = `{% for number in range(100000000) %}{% endfor %} select 1 as one`;

async function newProject(): Promise<DeployedProject> {
  const named = { name: `project-${randomBytes(6).toString('hex')}`, type: 'dbt' };
  const { id } = (await expectStatus(201, system.call('POST', '/api/v1/projects', named))).body;
  const { data } = (await system.call('GET', `/api/v1/projects/${id}/environments`)).body;
  return { projectId: id, environmentId: data[0].id, jobId: '' };
}

/** Deploys the tiny project with these files added. */
async function deploy(files: Record<string, string>): Promise<DeployedProject> {
  const project = await newProject();
  return { ...project, jobId: (await deployInto(project, files)).job_id };
}

async function deployInto({ projectId }: DeployedProject, files: Record<string, string>): Promise<any> {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-project-'));
  try {
    for (const [path, content] of Object.entries({ ...tiny, ...files })) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    const path = `/api/v1/projects/${projectId}/deployments`;
    const gzip = { 'content-type': 'application/gzip' };
    return (await expectStatus(201, system.call('POST', path, await packFolder(folder), gzip))).body;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function environmentPath({ projectId, environmentId }: DeployedProject): string {
  return `/api/v1/projects/${projectId}/environments/${environmentId}`;
}

async function deploymentPath({ projectId }: DeployedProject): Promise<string> {
  const path = `/api/v1/projects/${projectId}`;
  const { deployment } = (await system.call('GET', path)).body;
  return `${path}/deployments/${deployment.id}`;
}

/** What was prepared of the project's current deployment, once nothing of it waits any more. */
async function prepared(project: DeployedProject, withinMs = 120_000): Promise<any[]> {
  const path = await deploymentPath(project);
  return until(
    'the deployment is prepared',
    async () => (await system.call('GET', path)).body.preparations,
    (found: any[]) => found.every(({ state }) => ['ready', 'failed'].includes(state)),
    withinMs,
  );
}

/** The preparation whose manifest stands for the run's own. */
async function usedBy(runId: string): Promise<string | null> {
  const { rows } = await system.pool.query('SELECT preparation_id FROM runs WHERE id = $1', [runId]);
  return rows[0].preparation_id;
}

async function artifactOf(runId: string, path: string): Promise<any> {
  return (await expectStatus(200, system.call('GET', `/api/v1/runs/${runId}/artifacts/${path}`))).body;
}

async function preparationIds({ projectId }: DeployedProject): Promise<string[]> {
  const { rows } = await system.pool.query<{ id: string }>(
    `SELECT p.id FROM preparations p JOIN deployments d ON d.id = p.deployment_id WHERE d.project_id = $1`,
    [projectId],
  );
  return rows.map(({ id }) => id);
}

/** How many containers were made to prepare the project's deployments. */
async function containersMade(project: DeployedProject): Promise<number> {
  const ids = await preparationIds(project);
  return containers.split('\n').filter((event) => ids.some((id) => event.includes(id))).length;
}

/** The containers in which they are being prepared. */
async function preparing(project: DeployedProject): Promise<string[]> {
  const ids = await preparationIds(project);
  const listed = await system.docker.listContainers({
    all: true,
    filters: { label: ['dctl.preparation_id'] },
  });
  return listed.filter(({ Labels }) => ids.includes(Labels['dctl.preparation_id'] ?? '')).map(({ Id }) => Id);
}

/** All that is stored of what was prepared of the deployment, by its path. */
async function storedOf(project: DeployedProject, path?: string): Promise<Map<string, Buffer>> {
  const deploymentId = (path ?? (await deploymentPath(project))).split('/').at(-1)!;
  const folder = join(system.environment['DCTL_STORAGE_DIR']!, 'parsed', deploymentId);
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = found.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  return new Map(await Promise.all(files.map(async (each) => [each, await readFile(each)] as const)));
}
