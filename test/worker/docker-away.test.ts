import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startDockerProxy } from '../support/docker-proxy.ts';
import type { DeployedProject } from '../support/project.ts';
import { listen } from '../support/receiver.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { deployProbe, run } from './probe.ts';

const network = `dctl-test-${randomBytes(4).toString('hex')}`;

let system: System;
let project: DeployedProject;
let port: number;

beforeAll(async () => {
  port = await closedPort();
  const environment = {
    DOCKER_HOST: `tcp://127.0.0.1:${port}`,
    DCTL_RUN_NETWORK: network,
    DCTL_ENGINE_PATIENCE_SECONDS: '3',
  };
  system = await startSystem({ environment });
  project = await deployProbe(system);
});
afterAll(async () => {
  await system.stop();
  await system.docker.getNetwork(network).remove();
});

test('without a Docker engine a run is error, runtime_unavailable, within seconds; with one the same worker goes on', async () => {
  const away = await run(system, project, 'dbt run-operation say');
  expect(away).toMatchObject({ status: 'error', status_reason: 'runtime_unavailable' });
  expect(away.error_message).toMatch(/^The Docker engine does not answer \(\w+\)\.$/);
  expect(away.duration_seconds).toBeLessThan(10);
  expect(system.workers[0]!.child.exitCode).toBeNull();

  const engine = await startDockerProxy(port);
  try {
    const back = await run(system, project, 'dbt run-operation say');
    expect(back).toMatchObject({ status: 'success' });
    await untilGone(back.id);
  } finally {
    await engine.close();
  }
});

test('a run waits for an engine that is away for a moment', async () => {
  const running = run(system, project, 'dbt run-operation say');
  await until(
    'the run is claimed',
    async () => (await system.call('GET', '/api/v1/runs?limit=1')).body.data[0]?.status,
    (status) => status === 'running',
  );
  const engine = await startDockerProxy(port);
  try {
    const ran = await running;
    expect(ran).toMatchObject({ status: 'success' });
    await untilGone(ran.id);
  } finally {
    await engine.close();
  }
});

async function untilGone(runId: string): Promise<void> {
  const filters = { label: [`dctl.run_id=${runId}`] };
  await until(
    'its container is gone',
    () => system.docker.listContainers({ all: true, filters }),
    (containers) => containers.length === 0,
  );
}

async function closedPort(): Promise<number> {
  const { port: free, close } = await listen(createServer());
  await close();
  return free;
}
