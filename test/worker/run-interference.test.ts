import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deployProject, ended, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

const network = `dctl-test-${randomBytes(4).toString('hex')}`;

let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ environment: { DCTL_RUN_NETWORK: network } });
  project = await deployProject(system);
});
afterAll(async () => {
  await system.stop();
  await removeNetwork(network);
});

test("a signal that was not the worker's makes the run an error, not half a result", async () => {
  const runId = await trigger(system, project, {
    command_override: `dbt build --vars '{"slow_seconds": 60}'`,
  });
  await until(
    'a node is done',
    async () => (await system.call('GET', `/api/v1/runs/${runId}`)).body.nodes_done,
    (done) => done > 0,
  );
  await system.docker.getContainer(`dctl-run-${runId}`).kill({ signal: 'SIGTERM' });
  expect(await ended(system, runId)).toMatchObject({ status: 'error', status_reason: 'killed' });
});

test("the runs' network is made again after somebody removed it", async () => {
  await removeNetwork(network);
  const runId = await trigger(system, project, { command_override: 'dbt run-operation hello' });
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
});

test.each(['bridge-of-others', 'host'])(
  'a run does not join %s, a network that nobody made for runs',
  async (kind) => {
    const name = kind === 'host' ? kind : `${network}-others`;
    const others = kind === 'host' ? null : await system.docker.createNetwork({ Name: name });
    const path = `/api/v1/projects/${project.projectId}/environments/${project.environmentId}`;
    try {
      if (others === null) {
        await expectStatus(400, system.call('PATCH', path, { network: name }));
        return;
      }
      await expectStatus(200, system.call('PATCH', path, { network: name }));
      const runId = await trigger(system, project, { command_override: 'dbt run-operation hello' });
      const ran = await ended(system, runId);
      expect(ran).toMatchObject({ status: 'error', status_reason: 'could_not_start' });
      expect(ran.error_message).toContain(`--label dctl.network=runs ${name}`);
    } finally {
      await expectStatus(200, system.call('PATCH', path, { network: null }));
      if (others !== null) await removeNetwork(name);
    }
  },
);

/** Removes it as soon as nothing is in it: a run has ended before its container is gone. */
async function removeNetwork(name: string): Promise<void> {
  await until(
    'the network is gone',
    () =>
      system.docker
        .getNetwork(name)
        .remove()
        .then(
          () => null,
          (error: { statusCode?: number; message: string }) => {
            if (error.statusCode !== 403) throw error;
            return error.message;
          },
        ),
    (refusal) => refusal === null,
  );
}
