import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import Docker from 'dockerode';
import { extract, pack } from 'tar-stream';
import { deployProject, ended, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

// What dctl keeps of a run is what a user has who runs dbt by hand: dbt in the same image, without dctl, tells.

const example = 'examples/jaffle_shop';
const docker = new Docker();
const plainVariables = {
  HOME: '/tmp',
  DBT_PROFILES_DIR: '/work/project',
  DBT_TARGET_PATH: 'target',
  DBT_LOG_PATH: 'logs',
  DBT_USE_COLORS: 'false',
  DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
};

let system: System;
let shop: DeployedProject;
/** What a plain `dbt build` of the example leaves in its target folder. */
let plain: Map<string, string>;

beforeAll(async () => {
  system = await startSystem({ workers: 1 });
  shop = await deployProject(system);
  [plain] = await Promise.all([runPlainly('dbt build'), untilPrepared()]);
});
afterAll(() => system.stop());

test('results and manifest of a run are those of dbt itself, though the manifest is one made ahead', async () => {
  const runId = await finish('dbt build');
  const { rows } = await system.pool.query(
    'SELECT 1 FROM runs WHERE id = $1 AND preparation_id IS NOT NULL',
    [runId],
  );
  expect(rows).toHaveLength(1);

  const results = await artifact(runId, 'run_results.json');
  // What a run alone is told of itself.
  const numbers = ['ACCOUNT', 'JOB', 'PROJECT', 'RUN'].map((name) => `DBT_CLOUD_${name}_ID`);
  expect(Object.keys(results.metadata.env).toSorted()).toEqual(numbers);
  results.metadata.env = {};
  expect(sameResults(results)).toEqual(sameResults(JSON.parse(plain.get('run_results.json')!)));
  expect(sameManifest(await artifact(runId, 'manifest.json'))).toEqual(
    sameManifest(JSON.parse(plain.get('manifest.json')!)),
  );
  expect(await artifact(runId, 'semantic_manifest.json')).toEqual(
    JSON.parse(plain.get('semantic_manifest.json')!),
  );
  const working = /^(partial_parse\.msgpack|graph\.gpickle|graph_summary\.json)$/;
  expect(await artifactPaths(runId)).toEqual(
    [...plain.keys()].filter((path) => !working.test(path)).toSorted(),
  );

  // dbt compares states by the manifest: nothing has changed, and what is not selected can be deferred to it.
  const state = { 'state/manifest.json': JSON.stringify(await artifact(runId, 'manifest.json')) };
  const compared = await runPlainly(
    'dbt ls --quiet --select state:modified --state state > target/modified; dbt compile --quiet --select orders --defer --state state',
    state,
  );
  expect(compared.get('modified')).toBe('');
  expect(compared.get('compiled/jaffle_shop/models/marts/orders.sql')).toContain('select');
});

test('a command whose output is the manifest writes it', async () => {
  const runId = await finish('dbt docs generate');
  const generated = await runPlainly('dbt build --quiet && dbt docs generate');
  const [ours, theirs] = [
    await artifact(runId, 'manifest.json'),
    JSON.parse(generated.get('manifest.json')!),
  ];
  expect(compiledNodes(ours)).toEqual(compiledNodes(theirs));
  expect(compiledNodes(ours).length).toBeGreaterThan(0);
  expect(Object.keys((await artifact(runId, 'catalog.json')).nodes)).not.toEqual([]);
  expect(await artifactPaths(runId)).toContain('index.html');
});

async function untilPrepared(): Promise<void> {
  const path = `/api/v1/projects/${shop.projectId}/deployments`;
  await until(
    'the deployment is prepared',
    async () => (await system.call('GET', path)).body.data[0].preparations,
    (preparations) => preparations.length > 0 && preparations.every(({ state }: any) => state === 'ready'),
    60_000,
  );
}

async function finish(command: string): Promise<string> {
  const runId = await trigger(system, shop, { command_override: command });
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  return runId;
}

async function artifactPaths(runId: string): Promise<string[]> {
  const { body } = await expectStatus(200, system.call('GET', `/api/v1/runs/${runId}/artifacts`));
  return body.data.map(({ path }: { path: string }) => path).toSorted();
}

async function artifact(runId: string, path: string): Promise<any> {
  return (await expectStatus(200, system.call('GET', `/api/v1/runs/${runId}/artifacts/${path}`))).body;
}

/** Runs a shell command in the example, at the place and with the variables that runs have. Answers its target folder. */
async function runPlainly(command: string, more: Record<string, string> = {}): Promise<Map<string, string>> {
  const container = await docker.createContainer({
    Image: process.env['DCTL_TEST_RUNNER_IMAGE'] ?? '',
    Cmd: ['sh', '-c', `mkdir -p target && ${command}`],
    WorkingDir: '/work/project',
    User: '0:0',
    Env: Object.entries(plainVariables).map(([name, value]) => `${name}=${value}`),
  });
  try {
    const files = pack();
    for (const [path, content] of Object.entries({ ...(await exampleFiles()), ...more })) {
      files.entry({ name: `project/${path}` }, content);
    }
    files.finalize();
    await container.putArchive(await buffer(files as AsyncIterable<Uint8Array>), { path: '/work' });
    await container.start();
    const { StatusCode: exitCode } = await container.wait();
    const said = (await container.logs({ stdout: true, stderr: true })).toString();
    expect({ exitCode, said }).toEqual({ exitCode: 0, said });
    return await targetOf(container);
  } finally {
    await container.remove({ force: true, v: true });
  }
}

async function targetOf(container: Docker.Container): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const archive = await container.getArchive({ path: '/work/project/target' });
  for await (const entry of Readable.from(archive).pipe(extract())) {
    const content = (await buffer(entry as AsyncIterable<Uint8Array>)).toString();
    if (entry.header.type === 'file') files.set(entry.header.name.replace(/^target\//, ''), content);
  }
  return files;
}

async function exampleFiles(): Promise<Record<string, string>> {
  const entries = await readdir(example, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = paths.map(async (path) => [path.slice(example.length + 1), await readFile(path, 'utf8')]);
  return Object.fromEntries(await Promise.all(contents));
}

/** What differs between any two runs of dbt. */
const ofOneRun = ['generated_at', 'invocation_id', 'invocation_started_at', 'run_started_at', 'created_at'];
/** What dbt notes in a manifest of the nodes that it has compiled, and of the hooks that it has put in order. */
const ofCompiled = [
  'compiled',
  'compiled_code',
  'compiled_path',
  'build_path',
  'extra_ctes',
  'extra_ctes_injected',
  'index',
];

function sameResults({ results, ...rest }: any): unknown {
  const alike = results.map((result: any) => ({
    ...without(result, ['thread_id', 'execution_time']),
    timing: result.timing.map(({ name }: { name: string }) => name),
  }));
  return {
    ...without(rest, [...ofOneRun, 'elapsed_time']),
    results: alike.toSorted((a: any, b: any) => (a.unique_id < b.unique_id ? -1 : 1)),
  };
}

/** Without the macros that a node was found to need only when it was executed: dbt's own. */
function sameManifest(manifest: any): unknown {
  const { nodes, ...rest } = without(manifest, [...ofOneRun, ...ofCompiled]);
  const alike = Object.values<any>(nodes).map(({ depends_on, ...node }) => ({
    ...node,
    depends_on: {
      ...depends_on,
      macros: depends_on.macros?.filter((name: string) => !name.startsWith('macro.dbt')),
    },
  }));
  return { ...rest, nodes: alike.toSorted((a, b) => (a.unique_id < b.unique_id ? -1 : 1)) };
}

/** At whatever depth. */
function without(json: unknown, names: string[]): any {
  const text = JSON.stringify(json, (key, value) => (names.includes(key) ? undefined : value));
  return JSON.parse(text);
}

function compiledNodes(manifest: any): unknown[] {
  const nodes: any[] = Object.values(manifest.nodes);
  return nodes
    .filter(({ compiled }) => compiled)
    .map(({ unique_id, compiled_code }) => [unique_id, compiled_code])
    .toSorted();
}
