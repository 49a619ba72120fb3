import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { startDockerProxy, type DockerProxy } from '../support/docker-proxy.ts';
import type { TestProcess } from '../support/process.ts';
import { createJob, ended, trigger, type DeployedProject } from '../support/project.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { startSystem, type Answer, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { begin, deployProbe } from '../worker/probe.ts';

const say = `dbt run-operation say --args '{"word": "hello"}'`;
const files = ['manifest.json', 'run_results.json'];

let system: System;
let project: DeployedProject;
let proxy: DockerProxy;
let receiver: Receiver;
/** What the receiver of a run's webhook got that asked for its artifacts before it answered. */
let toReceiver: Promise<Answer[]> = Promise.resolve([]);

beforeAll(async () => {
  const environment = { DCTL_LEASE_SECONDS: '2', DCTL_SWEEP_SECONDS: '0.5', DCTL_WARM_MEMORY_MB: '0' };
  system = await startSystem({ workers: 0, environment });
  project = await deployProbe(system);
  proxy = await startDockerProxy();
  receiver = await startReceiver((response) => {
    const { conf } = JSON.parse(receiver.hits.at(-1)!.body.toString());
    toReceiver = Promise.all(files.map((path) => artifact(conf.job_run.id, path))).finally(() =>
      response.end(),
    );
  });
});
afterAll(async () => {
  await system.stop();
  await proxy.close();
  await receiver.close();
});
afterEach(async () => {
  proxy.release();
  if (!system.workers.some(isAlive)) await system.startWorker();
  await until(
    'no artifacts are waited for',
    () => system.pool.query('SELECT id FROM runs WHERE artifacts_pending'),
    ({ rowCount }) => rowCount === 0,
  );
  for (const each of system.workers) each.signal('SIGKILL');
  await Promise.all(system.workers.map((each) => each.ended));
});

describe('whoever is told that a run has ended gets all that it left:', () => {
  test('a client that asks until then, and the receiver of its webhook', async () => {
    await system.startWorker();
    const jobId = await createJob(system, project.projectId, {
      command: say,
      webhook_enabled: true,
      webhook_url: receiver.url,
    });
    for (let time = 0; time < 2; time += 1) {
      const hits = receiver.hits.length;
      const runId = await trigger(system, { ...project, jobId });
      expect(await ended(system, runId)).toMatchObject({ status: 'success' });
      for (const path of files) expect(await artifact(runId, path)).toMatchObject({ status: 200 });
      const list = await system.call('GET', `/api/v1/runs/${runId}/artifacts`);
      expect(list.body.data.map(({ path }: { path: string }) => path)).toEqual(expect.arrayContaining(files));
      await until(
        'the webhook has come',
        () => receiver.hits.length,
        (now) => now > hits,
      );
      expect((await toReceiver).map(({ status }) => status)).toEqual([200, 200]);
    }
  });

  test('its end is told before they are stored, and who asks for them then waits', async () => {
    const { runId } = await endedWithout('dbt run-operation nobody_wrote_this');
    const asked = [
      artifact(runId, 'manifest.json'),
      system.call('GET', `/api/v1/runs/${runId}/artifacts`),
      system.call('POST', `/api/v1/runs/${runId}/retry`, {}),
    ];
    const early = await Promise.race([...asked, system.call('GET', `/api/v1/runs/${runId}`)]);
    expect(early.body).toMatchObject({ id: runId, artifacts_ready: false });
    proxy.release();
    const [file, list, retry] = await Promise.all(asked);
    expect(file).toMatchObject({ status: 200 });
    expect(list!.body.data.length).toBeGreaterThan(1);
    expect(retry).toMatchObject({ status: 200 });
    expect(await ended(system, runId)).toMatchObject({ artifacts_ready: true });
    await system.call('POST', `/api/v1/runs/${retry!.body.job_run_id}/cancel`);
    await ended(system, retry!.body.job_run_id);
  });
});

describe('a worker that is killed between the end of a run and its artifacts', () => {
  test('leaves them to another one, which finds them in the container', async () => {
    const { runId, worker } = await endedWithout();
    await kill(worker);
    expect(await containerOf(runId)).not.toBeNull();
    await system.startWorker();
    for (const path of files) expect(await artifact(runId, path)).toMatchObject({ status: 200 });
    await until(
      'the container is gone',
      () => containerOf(runId),
      (found) => found === null,
    );
  });

  test('leaves nobody waiting for what is gone: the container was removed as well', async () => {
    const { runId, worker } = await endedWithout();
    await kill(worker);
    await system.docker.getContainer(`dctl-run-${runId}`).remove({ force: true, v: true });
    await system.startWorker();
    const list = await system.call('GET', `/api/v1/runs/${runId}/artifacts`);
    expect(list).toMatchObject({ status: 200 });
    expect(await ended(system, runId)).toMatchObject({ status: 'success', artifacts_ready: true });
  });
});

/** A run that has ended, whose worker is held from reading what it left. */
async function endedWithout(command = say): Promise<{ runId: string; worker: TestProcess }> {
  const worker = await system.startWorker({ DOCKER_HOST: proxy.host });
  const held = proxy.hold(/^GET .*\/archive/);
  const runId = await begin(system, project, command);
  expect(await ended(system, runId)).toMatchObject({ artifacts_ready: false });
  await held;
  return { runId, worker };
}

function artifact(runId: string, path: string): Promise<Answer> {
  return system.call('GET', `/api/v1/runs/${runId}/artifacts/${path}`);
}

function containerOf(runId: string) {
  return system.docker
    .getContainer(`dctl-run-${runId}`)
    .inspect()
    .catch(() => null);
}

function isAlive({ child }: TestProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function kill(worker: TestProcess): Promise<void> {
  worker.signal('SIGKILL');
  await worker.ended;
}
