import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { ensureCompose } from './compose.ts';

const file = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true });
const services: Record<string, any> = file.services;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dctl-compose-'));
  for (const name of ['docker-compose.yml', '.env.example', 'scripts/setup/write-env.sh'])
    await cp(name, join(folder, name), { recursive: true });
}, 600_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test('without .env compose refuses and says what to run; with it, it takes the file', async () => {
  await cp('.env.example', join(folder, '.env'));
  const refused = config();
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain('sh scripts/setup/write-env.sh');
  await rm(join(folder, '.env'));

  expect(writeEnv().status).toBe(0);
  const { status, stderr, stdout } = config();
  expect([status, stderr]).toEqual([0, '']);
  expect(Object.keys(parse(stdout).services).toSorted()).toEqual(Object.keys(services).toSorted());
}, 600_000);

test('the secrets written to .env are fresh, for its owner alone, and never written over', async () => {
  const path = join(folder, '.env');
  await rm(path, { force: true });
  expect(writeEnv().status).toBe(0);
  const first = await readFile(path, 'utf8');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const key = /^DCTL_SECRET_KEY=(.+)$/m.exec(first)?.[1] ?? '';
  expect(Buffer.from(key, 'base64')).toHaveLength(32);
  expect(first).toMatch(/^POSTGRES_PASSWORD=[0-9a-f]{48}$/m);
  expect(first).toMatch(/^DOCKER_GID=\d+$/m);

  expect(writeEnv().status).toBe(1);
  expect(await readFile(path, 'utf8')).toBe(first);
  await rm(path);
  writeEnv();
  expect(await readFile(path, 'utf8')).not.toContain(key);
});

test('.env and the certificates put into this folder are kept out of git', () => {
  const ignored = spawnSync('git', ['check-ignore', '.env', 'certs/proxy.crt'], { encoding: 'utf8' });
  expect(ignored.stdout.split('\n')).toEqual(['.env', 'certs/proxy.crt', '']);
});

test('only this machine reaches the API, and nobody the rest', () => {
  for (const [name, { ports = [] }] of Object.entries(services)) {
    expect([name, ports.length]).toEqual([name, name === 'api' ? 1 : 0]);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
  expect(file.networks.data.internal).toBe(true);
  for (const name of ['postgres', 'redis']) expect(services[name].networks).toEqual(['data']);
});

test('only the worker is given the Docker socket', () => {
  const holders = Object.entries(services).filter(([, { volumes = [] }]) =>
    volumes.some((volume: string) => volume.includes('docker.sock')),
  );
  expect(holders.map(([name]) => name)).toEqual(['worker']);
  expect(Object.values(services).filter(({ privileged }) => privileged)).toEqual([]);
});

test('API and worker are locked down, and have longer to stop than they take', () => {
  for (const name of ['api', 'worker']) {
    expect(services[name]).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      init: true,
      stop_grace_period: '15s',
    });
  }
  for (const { security_opt: options } of Object.values(services))
    expect(options).toEqual(['no-new-privileges:true']);
});

test('what serves comes back after a crash, and its log has an end', () => {
  for (const [name, { restart, logging }] of Object.entries(services)) {
    expect([name, restart]).toEqual([name, name.endsWith('-image') ? 'no' : 'unless-stopped']);
    expect(logging.options['max-size']).toBe('10m');
  }
});

test('each service waits until what it stands on is healthy', () => {
  const healthy = { condition: 'service_healthy' };
  expect(services['api'].depends_on).toEqual({ postgres: healthy, redis: healthy });
  expect(services['worker'].depends_on).toEqual({
    api: healthy,
    'runner-image': { condition: 'service_completed_successfully' },
  });
  for (const name of ['postgres', 'redis']) expect(services[name].healthcheck.test).toBeDefined();
  const dockerfile = readFileSync('Dockerfile', 'utf8');
  for (const name of ['api', 'worker'])
    expect(dockerfile.split(` AS ${name}\n`)[1]?.split('FROM ')[0]).toContain('HEALTHCHECK');
});

test('data outlives its containers', () => {
  const kept = (name: string) => services[name].volumes.filter((volume: string) => !volume.startsWith('/'));
  expect(kept('postgres')).toEqual(['postgres:/var/lib/postgresql']);
  expect(kept('redis')).toEqual(['redis:/data']);
  expect(kept('api')).toEqual(['storage:/var/lib/dctl']);
  expect(kept('worker')).toEqual(kept('api'));
  expect(Object.keys(file.volumes).toSorted()).toEqual(['postgres', 'redis', 'storage']);
});

test('the images of runs have the versions that every other way of building them has', () => {
  const versionsOf = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
  const pinned = (packages: Record<string, string>) =>
    Object.entries(packages).map(([name, version]) => `${name}==${version}`);

  const dbt = versionsOf('runner/versions.json');
  expect(services['runner-image'].build.args).toEqual({
    BASE_IMAGE: dbt.base,
    DBT_VERSION: dbt.dbt_core,
    ADAPTERS: pinned(dbt.adapters).join(' '),
  });
  const { base, sqlmesh, extras, drivers } = versionsOf('runner/sqlmesh/versions.json');
  expect(services['sqlmesh-image'].build.args).toEqual({
    BASE_IMAGE: base,
    PACKAGES: [`sqlmesh[${extras.join(',')}]==${sqlmesh}`, ...pinned(drivers)].join(' '),
  });
});

function writeEnv() {
  return spawnSync('sh', [join(folder, 'scripts', 'setup', 'write-env.sh')], { encoding: 'utf8' });
}

function config() {
  const [program, ...args] = ensureCompose();
  const { PATH = '', HOME = '' } = process.env;
  return spawnSync(program, [...args, '--profile', 'sqlmesh', 'config'], {
    cwd: folder,
    env: { PATH, HOME },
    encoding: 'utf8',
  });
}
