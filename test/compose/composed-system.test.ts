import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deployExample, type DemoProject } from '../../scripts/demo.ts';
import { openApiClient, type ApiClient } from '../../scripts/setup/api-client.ts';
import { lastLines, nodeEnvironment, nodeFlags, runCommand } from '../../scripts/setup/processes.ts';
import { until } from '../support/until.ts';
import { startComposed, type ComposedSystem } from './compose.ts';

let system: ComposedSystem;
let api: ApiClient;
let project: DemoProject;
let organizationId: string;
let environments: { id: string }[] = [];

beforeAll(async () => {
  system = await startComposed();
  const made = JSON.parse(
    lastLines(await system.compose('exec', '-T', 'api', 'bootstrap', '--new-token'), 1),
  );
  organizationId = made.organization_id;
  api = openApiClient({ url: system.url, token: made.token, organizationId });
  project = await deployExample(api, join(process.cwd(), 'examples', 'jaffle_shop'));
  environments = (await api.call<any>('GET', `/api/v1/projects/${project.projectId}/environments`)).data;
}, 900_000);

afterAll(async () => {
  await system?.close();
  for (const { id } of environments) await runCommand('docker', ['volume', 'rm', `dctl-data-${id}`]);
}, 120_000);

test('a run of the example project ends with success, and its artifacts are read through the API', async () => {
  const run = await ended(await trigger());
  expect(run).toMatchObject({ status: 'success' });
  const manifest = await api.call<any>('GET', `/api/v1/runs/${run.id}/artifacts/manifest.json`);
  expect(Object.keys(manifest.nodes)).toContain('model.jaffle_shop.customers');
}, 240_000);

test('one command makes a token', async () => {
  const words = ['operate', 'add-token', organizationId, 'airflow', '--scope', 'trigger'];
  const token = lastLines(await system.compose('exec', '-T', 'api', ...words), 1);
  const asAirflow = openApiClient({ url: system.url, token, organizationId });
  expect(await asAirflow.call('GET', '/api/v1/projects')).toMatchObject({
    data: [{ id: project.projectId }],
  });
});

test('API and worker are found healthy', async () => {
  for (const service of ['api', 'worker'])
    await until(
      `the ${service} is healthy`,
      async () => (await system.inspect(service)).State.Health.Status,
      (status) => status === 'healthy',
    );
}, 180_000);

test('neither process has rights on its machine beyond those it needs', async () => {
  for (const service of ['api', 'worker']) {
    const status = await system.compose('exec', '-T', service, 'cat', '/proc/1/status');
    expect(status).toMatch(/^Uid:\t10001\t10001\t10001\t10001$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    await expect(system.compose('exec', '-T', service, 'touch', '/app/x')).rejects.toThrow('Read-only');
  }
});

test('the worker has the Docker socket, the API has not', async () => {
  const look = (service: string) =>
    system.compose('exec', '-T', service, 'test', '-e', '/var/run/docker.sock');
  await look('worker');
  await expect(look('api')).rejects.toThrow('exit code 1');
});

test('both run with the flags and the environment that npm start gives them', async () => {
  for (const service of ['api', 'worker']) {
    const { Config } = await system.inspect(service);
    expect(Config.Cmd.slice(0, -1)).toEqual(['node', ...nodeFlags]);
    for (const [name, value] of Object.entries(nodeEnvironment))
      expect(Config.Env).toContain(`${name}=${value}`);
  }
});

test('every file that the code asks for is in its image', async () => {
  const shared = globSync('src/**/*.ts');
  const isHttp = (source: string) => source.startsWith('src/http/');
  const worker = [...shared.filter((source) => !isHttp(source)), ...globSync('worker/**/*.ts')];
  for (const [service, sources] of Object.entries({ api: shared, worker })) {
    const files = sources.flatMap((source) =>
      [...readFileSync(source, 'utf8').matchAll(/installed\(['`]([^'`$]+)/g)].map(([, file = '']) => file),
    );
    expect(files).toContain('prisma/migrations');
    await system.compose('exec', '-T', service, 'ls', ...new Set(files));
  }
});

test('Redis keeps its queue: on disk, and whole when memory is short', async () => {
  const setting = (name: string) => system.compose('exec', '-T', 'redis', 'redis-cli', 'CONFIG', 'GET', name);
  expect(await setting('appendonly')).toMatch(/^yes\r?$/m);
  expect(await setting('maxmemory-policy')).toMatch(/^noeviction\r?$/m);
});

test('what runs on the network of runs reaches neither Postgres nor Redis nor the API', async () => {
  const probe = `
import socket, sys
for target in sys.argv[1:]:
    host, port = target.rsplit(':', 1)
    try:
        socket.create_connection((host, int(port)), 2).close()
        print('reached', target)
    except OSError:
        pass
print('done')`;
  const targets: string[] = [];
  for (const [service, port] of Object.entries({ postgres: 5432, redis: 6379, api: 3000 })) {
    const { Networks } = (await system.inspect(service)).NetworkSettings;
    for (const { IPAddress } of Object.values<any>(Networks)) targets.push(`${IPAddress}:${port}`);
  }
  const [network] = JSON.parse(await runCommand('docker', ['network', 'inspect', 'dctl-runs']));
  targets.push(`${network.IPAM.Config[0].Gateway}:${new URL(system.url).port}`);
  const image = process.env['DCTL_TEST_RUNNER_IMAGE'] ?? '';
  const look = (name: string) =>
    runCommand('docker', ['run', '--rm', '--network', name, image, 'python3', '-c', probe, ...targets]);

  expect(await look('dctl-runs')).toBe('done\n');
  const { Networks } = (await system.inspect('api')).NetworkSettings;
  const [data = ''] = Object.keys(Networks).filter((name) => name.endsWith('_data'));
  expect(await look(data)).toContain('reached');
});

test('stopped with a run under way both end in time with 0, and the run goes on to its end', async () => {
  const runId = await trigger();
  await until(
    'the run executes',
    async () => (await read(runId)).status,
    (status) => status === 'running',
  );

  await system.compose('stop', 'api', 'worker');
  for (const service of ['api', 'worker']) {
    const { State } = await system.inspect(service);
    expect([service, State.ExitCode]).toEqual([service, 0]);
  }
  await system.compose('up', '--detach', '--no-build');
  expect(await ended(runId)).toMatchObject({ status: 'success' });
}, 300_000);

async function trigger(): Promise<string> {
  const path = `/api/v1/projects/${project.projectId}/jobs/${project.jobId}/trigger`;
  return (await api.call<{ job_run_id: string }>('POST', path)).job_run_id;
}

function read(runId: string): Promise<any> {
  return api.call<any>('GET', `/api/v1/runs/${runId}`);
}

function ended(runId: string): Promise<any> {
  return until(
    `run ${runId} has ended`,
    () => read(runId),
    ({ status }) => !['queued', 'running'].includes(status),
    180_000,
  );
}
