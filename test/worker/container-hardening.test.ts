import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ended, expectStatus, type DeployedProject } from '../support/project.ts';
import { listen } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { begin, deployProbe, logOf, printed, run } from './probe.ts';

const memoryMb = 512;
const pids = 100;

let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({
    environment: {
      DCTL_RUN_MEMORY_MB: String(memoryMb),
      DCTL_RUN_PIDS: String(pids),
      PLANTED_SECRET: 'hunter2-of-the-worker',
    },
  });
  project = await deployProbe(system);
});
afterAll(() => system.stop());

describe('code of the project, inside the container,', () => {
  let inside: any;
  beforeAll(async () => {
    const ran = await run(system, project, 'dbt run --select inside');
    expect(ran).toMatchObject({ status: 'success' });
    inside = await printed(system, ran.id, 'status');
  });

  test('has no capability, cannot gain one, and is filtered by seccomp', () => {
    const none = '0000000000000000';
    expect(inside.status).toEqual({
      CapEff: none,
      CapBnd: none,
      CapPrm: none,
      NoNewPrivs: '1',
      Seccomp: '2',
    });
  });

  test('is nobody, under an init process', () => {
    expect(inside).toMatchObject({
      uid: [65532, 65532, 65532],
      gid: [65532, 65532, 65532],
      first_process: 'docker-init',
    });
    expect(inside.groups.filter((group: number) => group !== 65532)).toEqual([]);
  });

  test('writes to its work folder, its data and its temporary files, and nowhere else on a disk', () => {
    const inMemory = ['/dev/mqueue', '/dev/shm'];
    expect(inside.writable.filter((folder: string) => !inMemory.includes(folder))).toEqual([
      '/data',
      '/tmp',
      '/work',
    ]);
  });

  test('cannot fill more than 256 MiB of temporary files', () => {
    expect(inside.tmp_bytes).toBeGreaterThan(200 * 1024 ** 2);
    expect(inside.tmp_bytes).toBeLessThanOrEqual(256 * 1024 ** 2);
  });

  test('has the memory of its settings', () => {
    expect(inside.memory_limit).toBe(memoryMb * 1024 ** 2);
  });

  test('finds neither the Docker socket nor a device of the host', () => {
    expect(inside.sockets).toEqual([]);
    const harmless = /^(core|fd|full|mqueue|null|ptmx|pts|random|shm|stderr|stdin|stdout|tty|urandom|zero)$/;
    expect(inside.devices.filter((device: string) => !harmless.test(device))).toEqual([]);
  });

  test("sees nothing of the worker's environment", () => {
    const values = Object.values(inside.environment).join('\n');
    for (const name of ['DATABASE_URL', 'DCTL_SECRET_KEY', 'DCTL_STORAGE_DIR', 'PLANTED_SECRET']) {
      expect(inside.environment).not.toHaveProperty(name);
      expect(values).not.toContain(name === 'PLANTED_SECRET' ? 'hunter2' : system.environment[name]);
    }
  });
});

test('forks end at the limit of processes, and the run goes on to its end', async () => {
  const ran = await run(system, project, 'dbt run --select forks');
  expect(ran).toMatchObject({ status: 'success' });
  const { children, stopped_by } = await printed(system, ran.id, 'children');
  expect(children).toBeLessThan(pids);
  expect(children).toBeGreaterThan(pids / 4);
  expect(stopped_by).toMatch(/unavailable/);
});

test('a running container shows nothing secret and nothing of the host to docker inspect', async () => {
  const runId = await begin(
    system,
    project,
    `dbt run --select counting --vars '{"lines": 20, "word": "said-on-stdin"}'`,
  );
  const container = system.docker.getContainer(`dctl-run-${runId}`);
  const seen = await until(
    'the container runs',
    () => container.inspect().catch(() => undefined),
    (found) => found?.State.Running === true,
  );
  const ran = await ended(system, runId);

  expect(ran.status).toBe('success');
  expect(seen!.HostConfig).toMatchObject({
    Privileged: false,
    CapAdd: null,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    ReadonlyRootfs: true,
    Binds: null,
    PidMode: '',
    UTSMode: '',
    IpcMode: 'private',
    AutoRemove: false,
    Init: true,
    RestartPolicy: { Name: 'no' },
    NetworkMode: 'dctl-runs',
    Memory: memoryMb * 1024 ** 2,
    MemorySwap: memoryMb * 1024 ** 2,
    PidsLimit: pids,
  });
  expect(seen!.HostConfig.Devices ?? []).toEqual([]);
  expect(seen!.HostConfig.PortBindings ?? {}).toEqual({});
  expect(seen!.Mounts.map(({ Type, Destination }) => [Type, Destination]).toSorted()).toEqual([
    ['volume', '/data'],
    ['volume', '/work'],
  ]);
  expect(seen!.Config.Labels).toMatchObject({
    'dctl.run_id': runId,
    'dctl.organization_id': system.organizationId,
    'dctl.fence': '1',
  });
  const names = seen!.Config.Env.map((entry) => entry.split('=')[0]).toSorted();
  expect(names).toEqual(['DCTL_PROJECT_DIR', 'LANG', 'PATH', 'REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE']);
  expect(seen!.Config.Cmd).toEqual(['python3', '-u', '/work/.dctl/shim.py']);
  expect(JSON.stringify(seen)).not.toContain('said-on-stdin');
});

describe('over the network', () => {
  test("a run reaches the world outside its network, and no other run's container", async () => {
    const outside = await listen(createServer());
    const other = await deployProbe(system);
    try {
      const listening = await begin(system, other, `dbt run --select listener --vars '{"seconds": 15}'`);
      await until(
        'the other run listens',
        () => logOf(system, listening),
        (log) => /^listening$/m.test(log),
      );
      const { NetworkSettings } = await system.docker.getContainer(`dctl-run-${listening}`).inspect();
      const { IPAddress: neighbour, Gateway: host } = NetworkSettings.Networks['dctl-runs']!;

      const addresses = [`${neighbour}:4000`, `${host}:${outside.port}`];
      const command = `dbt run --select connector --vars '${JSON.stringify({ addresses: addresses.join() })}'`;
      const ran = await run(system, project, command);
      expect((await printed(system, ran.id, 'reached')).reached).toEqual({
        [`${neighbour}:4000`]: false,
        [`${host}:${outside.port}`]: true,
      });
      expect(await ended(system, listening)).toMatchObject({ status: 'success' });
      expect(await logOf(system, listening)).not.toContain('reached by');
    } finally {
      await outside.close();
    }
  });

  test('a run of an environment without a network reaches nothing', async () => {
    const outside = await listen(createServer());
    const network = await system.docker.getNetwork('dctl-runs').inspect();
    const host = network.IPAM?.Config?.[0]?.['Gateway'];
    const alone = await deployProbe(system);
    const path = `/api/v1/projects/${alone.projectId}/environments/${alone.environmentId}`;
    try {
      await expectStatus(200, system.call('PATCH', path, { network: 'none' }));
      const addresses = [`${host}:${outside.port}`];
      const ran = await run(
        system,
        alone,
        `dbt run --select connector --vars '${JSON.stringify({ addresses: addresses.join() })}'`,
      );
      expect((await printed(system, ran.id, 'reached')).reached).toEqual({ [addresses[0]!]: false });
      expect(outside.connections()).toBe(0);
    } finally {
      await outside.close();
    }
  });
});

test("an accepted command's words reach dbt byte for byte", async () => {
  const vars = JSON.stringify({
    word: `it's "quoted", {braced: [1]}, \\ and ünïcödé ✓ 日本語  with two spaces`,
  });
  const command = `dbt run --select words --vars "${vars.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}" --threads 1`;
  const ran = await run(system, project, command);
  expect(ran).toMatchObject({ status: 'success', command });
  const { words } = await printed(system, ran.id, 'words');
  expect(words).toEqual(['run', '--select', 'words', '--vars', vars, '--threads', '1']);
});
