import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ContainerInspectInfo } from 'dockerode';
import { createJob, ended, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { containerOf, oneWaits, waiting, warmContainers } from '../support/warm.ts';
import { deployTelling } from '../runs/telling.ts';
import { deployProbe, logOf, printed } from './probe.ts';

let system: System;
let project: DeployedProject;

beforeAll(async () => {
  const environment = { DCTL_WARM_MEMORY_MB: '300', DCTL_WORKER_CONCURRENCY: '1' };
  system = await startSystem({ environment });
  const deployed = await deployProbe(system);
  const jobId = await createJob(system, deployed.projectId, { command: 'dbt run --select inside' });
  project = { ...deployed, jobId };
});
afterAll(() => system.stop());

test('a run takes the container that waits, finds in it what it would in one of its own, and leaves none behind', async () => {
  const first = await trigger(system, project);
  const cold = await inspected(`dctl-run-${first}`);
  expect(await ended(system, first)).toMatchObject({ status: 'success' });
  const id = await oneWaits(system);
  const warm = await inspected(id);
  expect({ ...warm.HostConfig, Mounts: mountsOf(warm) }).toEqual({
    ...cold.HostConfig,
    Mounts: mountsOf(cold),
  });
  expect({ ...warm.Config, Hostname: '', Labels: {} }).toEqual({ ...cold.Config, Hostname: '', Labels: {} });
  expect(Object.keys(warm.Config.Labels).toSorted()).toEqual([
    'dctl.installation_id',
    'dctl.organization_id',
    'dctl.warm',
  ]);

  const second = await trigger(system, project);
  expect(await ended(system, second)).toMatchObject({
    status: 'success',
    nodes_total: 1,
    nodes_succeeded: 1,
  });
  expect(await containerOf(system, second)).toBe(id);
  const [inCold, inWarm] = await Promise.all([first, second].map((run) => printed(system, run, 'status')));
  expect(inWarm.environment['DCTL_RUN_ID']).toBe(second);
  const results = await system.call('GET', `/api/v1/runs/${second}/artifacts/run_results.json`);
  const { rows } = await system.pool.query('SELECT number FROM runs WHERE id = $1', [second]);
  expect(results.body.metadata.env).toMatchObject({ DBT_CLOUD_RUN_ID: rows[0].number });
  expect(seen(inWarm)).toEqual(seen(inCold));
  expect(await logOf(system, second)).toMatch(/^\S+ +Running with dbt=/);
  expect((await logOf(system, second)).match(/Running with dbt=/g)).toHaveLength(1);
  await until(
    'it is gone',
    () => warmContainers(system),
    (there) => there.every(({ Id }) => Id !== id),
  );
});

test('a run with other variables is right in it too', async () => {
  const id = await oneWaits(system);
  const override = `dbt run --select counting --vars '{"lines": 3, "pause": 0}'`;
  const runId = await trigger(system, project, { command_override: override });
  expect(await ended(system, runId)).toMatchObject({ status: 'success' });
  expect(await containerOf(system, runId)).toBe(id);
  expect((await logOf(system, runId)).match(/^line \d ✓$/gm)).toEqual(['line 0 ✓', 'line 1 ✓', 'line 2 ✓']);
});

test('none is made while a run has the last place, and one as soon as the worker has been calm', async () => {
  const id = await oneWaits(system);
  const override = `dbt run --select counting --vars '{"lines": 4, "pause": 0.5}'`;
  const run = await ended(system, await trigger(system, project, { command_override: override }));
  expect(run.status).toBe('success');
  const { Created: createdAt } = await inspected(await oneWaits(system, id));
  const { rows } = await system.pool.query('SELECT finished_at FROM runs WHERE id = $1', [run.id]);
  expect(Date.parse(createdAt)).toBeGreaterThan(rows[0].finished_at.getTime());
});

test('a run uses what was parsed ahead, also with the query comment of the documentation', async () => {
  const path = `/api/v1/projects/${project.projectId}/jobs/${project.jobId}`;
  // None is made for it meanwhile.
  await system.call('PATCH', path, { enabled: false });
  const telling = await deployTelling(system);
  const job = { ...telling, jobId: await createJob(system, telling.projectId, { command: 'dbt compile' }) };
  const parsedAt = async (run: any) => {
    const { body } = await system.call('GET', `/api/v1/runs/${run.id}/artifacts/manifest.json`);
    return Date.parse(body.metadata.generated_at);
  };
  const first = await ended(system, await trigger(system, job, { cause: 'the first' }));
  expect(await parsedAt(first)).toBeGreaterThan(Date.parse(first.start_time));

  const { run } = await until(
    'a run takes a container that waited',
    async () => {
      const ready = await waiting(system);
      if (ready.length === 0) return { run: null, wasReady: false };
      const next = await ended(system, await trigger(system, job, { cause: 'another' }));
      return { run: next, wasReady: ready.includes((await containerOf(system, next.id)) ?? '') };
    },
    ({ wasReady }) => wasReady,
    60_000,
  );
  await system.call('PATCH', path, { enabled: true });
  expect(run.status).toBe('success');
  expect(await parsedAt(run)).toBeLessThan(Date.parse(run.start_time));
});

async function inspected(container: string): Promise<ContainerInspectInfo> {
  const found = await until(
    'the container runs',
    () =>
      system.docker
        .getContainer(container)
        .inspect()
        .catch(() => null),
    (each) => each?.State.Running === true,
  );
  return found!;
}

function mountsOf({ HostConfig }: ContainerInspectInfo): unknown {
  const mounts = HostConfig.Mounts as { Target: string; Source: string; Type: string }[];
  return mounts.map(({ Target, Source, Type }) => ({ Target, Source, Type }));
}

/** What project code sees, but for what no two containers or runs have in common. */
function seen({ environment, ...found }: any): unknown {
  const own = /^(DCTL_RUN_ID|DBT_(ENV_CUSTOM_ENV_DBT_)?CLOUD_RUN_ID|HOSTNAME)$/;
  return {
    ...found,
    environment: Object.fromEntries(Object.entries(environment).filter(([name]) => !own.test(name))),
  };
}
