import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { packFolder } from '../../scripts/setup/archive.ts';
import { startDockerProxy } from '../support/docker-proxy.ts';
import { expectInvariants } from '../support/invariants.ts';
import type { TestProcess } from '../support/process.ts';
import { createJob, ended, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { makeStandIn, work } from '../support/stand-in.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { containerOf, oneWaits, present, warmContainers } from '../support/warm.ts';
import { deployProbe, logOf } from '../worker/probe.ts';

const leaseSeconds = 2;

let standIn: Awaited<ReturnType<typeof makeStandIn>>;
let system: System;
let project: DeployedProject;
let job: { projectId: string; jobId: string };
let worker: TestProcess;

beforeAll(async () => {
  standIn = await makeStandIn();
  system = await startSystem({
    workers: 0,
    environment: {
      DCTL_LEASE_SECONDS: String(leaseSeconds),
      DCTL_SWEEP_SECONDS: '0.5',
      DCTL_RUNNER_IMAGE: standIn.image,
      DCTL_WORKER_CONCURRENCY: '1',
      // Room for one: what it takes is far less than what is expected of the next.
      DCTL_WARM_MEMORY_MB: '165',
    },
  });
  project = await deployProbe(system);
  const command = work(0.2);
  job = { ...project, jobId: await createJob(system, project.projectId, { command, max_parallel_runs: 4 }) };
});
afterAll(async () => {
  await system.stop();
  await standIn.remove();
});
beforeEach(async () => {
  worker = await system.startWorker({ DCTL_WORKER_PORT: '0' });
  // From the first run on it is in use.
  if ((await system.pool.query('SELECT 1 FROM runs')).rowCount === 0) await run();
});
afterEach(async () => {
  // Some worker that nothing holds up.
  await startWorkerWithout();
  await expectInvariants(system);
  for (const each of system.workers) each.signal('SIGKILL');
  await Promise.all(system.workers.map((each) => each.ended));
});

describe('a run takes no container that was made from something else:', () => {
  const environment = () => `/api/v1/projects/${project.projectId}/environments/${project.environmentId}`;

  test.each<[string, () => Promise<unknown>]>([
    [
      'another value of a variable',
      () => system.call('PATCH', environment(), { env_vars: { COLOUR: 'red' } }),
    ],
    ['another secret', () => system.call('PUT', `${environment()}/secrets/KEY`, { value: 'a new secret' })],
    [
      'another deployment',
      async () => {
        const archive = await packFolder(join(import.meta.dirname, '..', 'worker', 'probe'));
        const path = `/api/v1/projects/${project.projectId}/deployments`;
        await expectStatus(201, system.call('POST', path, archive, { 'content-type': 'application/gzip' }));
      },
    ],
    ['another image of the same name', moveImage],
  ])('%s', async (_what, change) => {
    const id = await oneWaits(system);
    await change();
    expect(await containerOf(system, await run())).not.toBe(id);
    await until(
      'it is gone',
      () => warmContainers(system),
      (there) => there.every(({ Id }) => Id !== id),
    );
  });

  test('one that has waited too long', async () => {
    await kill(worker);
    await system.startWorker({ DCTL_WARM_AGE_SECONDS: '2' });
    const id = await oneWaits(system);
    await until(
      'it is gone',
      () => warmContainers(system),
      (there) => there.every(({ Id }) => Id !== id),
    );
    expect(await oneWaits(system)).not.toBe(id);
  });
});

describe('what waits', () => {
  test('takes no more memory than is set, is shown, and is gone when its worker stops', async () => {
    const path = `/api/v1/projects/${project.projectId}/environments`;
    const other = (await expectStatus(201, system.call('POST', path, { name: 'other' }))).body.id;
    const command = work(0.1);
    const second = await createJob(system, project.projectId, { command, environment_id: other });
    await ended(system, await trigger(system, { ...project, jobId: second }));
    await oneWaits(system);
    await until(
      'the metrics tell of it',
      () => metrics(),
      (text) => /^dctl_warm_containers\{state="ready"\} 1$/m.test(text),
    );
    const [, bytes] = /^dctl_warm_memory_bytes (\d+)$/m.exec(await metrics()) ?? [];
    expect(Number(bytes)).toBeGreaterThan(1024 ** 2);
    expect(Number(bytes)).toBeLessThan(165 * 1024 ** 2);
    expect(await metrics()).toMatch(/^dctl_warm_taken_total\{found="none"\} [1-9]$/m);
    await until(
      'what was dropped is gone',
      () => warmContainers(system),
      ({ length }) => length === 1,
    );
    worker.signal('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(await warmContainers(system)).toEqual([]);
  });

  test('ends with a worker that is killed; the next one removes it, and makes none when that is off', async () => {
    const { Mounts: mounts } = await system.docker.getContainer(await oneWaits(system)).inspect();
    const ofItsOwn = mounts.filter(({ Destination }) => Destination === '/work').map(({ Name }) => Name!);
    expect(await present(system, ofItsOwn)).toHaveLength(1);
    await kill(worker);
    await until(
      'it has ended by itself',
      () => warmContainers(system),
      (there) => there.every(({ State, Status }) => State === 'exited' && Status.includes('(75)')),
    );
    await startWorkerWithout();
    await until(
      'nothing is left',
      () => warmContainers(system),
      ({ length }) => length === 0,
    );
    expect(await present(system, ofItsOwn)).toEqual([]);
    await run();
    expect(await warmContainers(system)).toEqual([]);
  });

  test('does not keep the data of an environment that is deleted', async () => {
    const path = `/api/v1/projects/${project.projectId}/environments`;
    const environmentId = (await expectStatus(201, system.call('POST', path, { name: 'short-lived' }))).body
      .id;
    const command = work(0.1);
    const jobId = await createJob(system, project.projectId, { command, environment_id: environmentId });
    await ended(system, await trigger(system, { ...project, jobId }));
    await oneWaits(system);
    const jobPath = `/api/v1/projects/${project.projectId}/jobs/${jobId}`;
    await expectStatus(204, system.call('DELETE', jobPath));
    await expectStatus(204, system.call('DELETE', `${path}/${environmentId}`));
    await kill(worker);
    worker = await system.startWorker({ DCTL_CLEAN_UP_SECONDS: '0.5' });
    const volume = system.docker.getVolume(`dctl-data-${environmentId}`);
    await until(
      'its data is gone',
      () => volume.inspect().catch(() => null),
      (found) => found === null,
    );
  });
});

describe('a container that dies while it waits costs no run:', () => {
  test('before it is taken', async () => {
    const id = await oneWaits(system);
    await system.docker.getContainer(id).kill();
    expect(await containerOf(system, await run())).not.toBe(id);
  });

  test('when it has been taken, and before it is told what to run', async () => {
    const proxy = await startDockerProxy();
    try {
      await kill(worker);
      const other = await system.startWorker({ DOCKER_HOST: proxy.host });
      const id = await oneWaits(system);
      const held = proxy.hold(/^\{"steps"/);
      const runId = await trigger(system, job);
      await held;
      expect(await containerOf(system, runId)).toBe(id);
      await system.docker.getContainer(id).kill();
      proxy.release();
      expect(await ended(system, runId)).toMatchObject({ status: 'success' });
      expect(await containerOf(system, runId)).not.toBe(id);
      expect(await logOf(system, runId)).toMatch(/^begins\n(line \d\n)+ends\n$/);
      await kill(other);
    } finally {
      await proxy.close();
    }
  });
});

describe('a worker that is killed', () => {
  test('before it has told the container what to run leaves a run that is executed once', async () => {
    const proxy = await startDockerProxy();
    try {
      await kill(worker);
      const doomed = await system.startWorker({ DOCKER_HOST: proxy.host });
      const id = await oneWaits(system);
      const held = proxy.hold(/^\{"steps"/);
      const runId = await trigger(system, job);
      await held;
      expect(await containerOf(system, runId)).toBe(id);
      await kill(doomed);
      await startWorkerWithout();
      expect(await ended(system, runId)).toMatchObject({ status: 'success' });
      expect(await containerOf(system, runId)).not.toBe(id);
      expect(await logOf(system, runId)).toMatch(/^begins\n(line \d\n)+ends\n$/);
    } finally {
      await proxy.close();
    }
  });

  test('while its run executes is replaced: same container, whole log', async () => {
    const id = await oneWaits(system);
    const runId = await trigger(system, job, { command_override: work(6) });
    await until(
      'it prints',
      () => logOf(system, runId),
      (log) => log.includes('line 5\n'),
    );
    await kill(worker);
    await startWorkerWithout();
    expect(await ended(system, runId)).toMatchObject({ status: 'success' });
    expect(await containerOf(system, runId)).toBe(id);
    const lines = Array.from({ length: 6 * 20 }, (_, number) => `line ${number}`);
    expect((await logOf(system, runId)).trimEnd().split('\n')).toEqual(['begins', ...lines, 'ends']);
    const { rows } = await system.pool.query('SELECT fence FROM runs WHERE id = $1', [runId]);
    expect(rows[0].fence).toBe(2);
  });
});

/** A run of the job, at its end. */
async function run(): Promise<string> {
  const runId = await trigger(system, job);
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  return runId;
}

function startWorkerWithout(): Promise<TestProcess> {
  return system.startWorker({ DCTL_WARM_MEMORY_MB: '0' });
}

async function metrics(): Promise<string> {
  const { address } = (await worker.said('serving metrics')) as { address: { port: number } };
  const text = await (await fetch(`http://127.0.0.1:${address.port}/metrics`)).text();
  return text.replaceAll(/^(?!dctl_warm).*\n/gm, '');
}

/** The name of the image stands for another one from now on, in which nothing but its id is new. */
async function moveImage(): Promise<void> {
  const [repo, tag] = standIn.image.split(':') as [string, string];
  const container = await system.docker.createContainer({ Image: standIn.image });
  await container.commit({ repo, tag, changes: 'LABEL moved=true' });
  await container.remove();
}

async function kill(process: TestProcess): Promise<void> {
  process.signal('SIGKILL');
  await process.ended;
}
