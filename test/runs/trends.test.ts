import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createJob, deployProject, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  project = await deployProject(system);
});
afterAll(() => system.stop());

interface Past {
  status: 'success' | 'partial' | 'failed' | 'error';
  seconds: number;
  override?: string;
  /** Of the oldest of them. */
  isRetry?: true;
  nodes?: Record<string, number>;
}

/** Runs that have ended, the oldest first, and one that has not. */
async function jobWith(past: Past[]): Promise<{ path: string; jobId: string; runs: string[] }> {
  const { projectId } = project;
  const jobId = await createJob(system, projectId, {});
  const runs: string[] = [];
  for (const { status, seconds, override = null, isRetry, nodes = {} } of past) {
    const id = await trigger(system, { projectId, jobId });
    runs.push(id);
    await system.pool.query(
      `UPDATE runs SET status = $2, status_reason = CASE WHEN $2 = 'error' THEN 'killed' END, started_at = now(),
         finished_at = now(), duration_ms = $3, command_override = $4, retry_of = $5 WHERE id = $1`,
      [id, status, seconds * 1_000, override, isRetry ? runs[0] : null],
    );
    for (const [name, took] of Object.entries(nodes))
      await system.pool.query(
        `INSERT INTO node_results (run_id, step, unique_id, resource_type, status, duration_seconds)
         VALUES ($1, 1, $2, 'model', 'success', $3)`,
        [id, `model.shop.${name}`, took],
      );
  }
  await trigger(system, { projectId, jobId });
  return { path: `/api/v1/projects/${projectId}/jobs/${jobId}/trends`, jobId, runs };
}

test('a job shows its last runs, how many were good, what they usually take, and on what', async () => {
  const { path, jobId, runs } = await jobWith([
    { status: 'success', seconds: 10, nodes: { orders: 6, customers: 2 } },
    { status: 'failed', seconds: 3, nodes: { orders: 1 } },
    { status: 'success', seconds: 14, nodes: { orders: 8, customers: 1 } },
    { status: 'error', seconds: 0 },
    { status: 'partial', seconds: 100 },
  ]);
  const { body } = await expectStatus(200, system.call('GET', path));
  expect(body).toMatchObject({
    usual_duration_seconds: 12,
    success_rate: 0.4,
    counts: { success: 2, partial: 1, failed: 1, error: 1 },
  });
  expect(body.runs.map(({ id }: { id: string }) => id)).toEqual(runs.toReversed());
  expect(body.runs[0]).toMatchObject({ status: 'partial', duration_seconds: 100 });
  expect(body.slowest_nodes).toEqual([
    {
      unique_id: 'model.shop.orders',
      resource_type: 'model',
      usual_seconds: 6,
      longest_seconds: 8,
      runs: 3,
    },
    {
      unique_id: 'model.shop.customers',
      resource_type: 'model',
      usual_seconds: 1.5,
      longest_seconds: 2,
      runs: 2,
    },
  ]);
  const two = (await system.call('GET', `${path}?runs=2`)).body;
  expect(two.runs).toHaveLength(2);
  expect(two).toMatchObject({ success_rate: 0, usual_duration_seconds: 12 });

  const all = (await system.call('GET', '/api/v1/usual-durations')).body.data;
  expect(all).toContainEqual({ job_id: jobId, usual_duration_seconds: 12, runs: 2 });
});

test('what a node takes is not made less by compiling it, as dbt docs generate does after a build', async () => {
  const { path, runs } = await jobWith([
    { status: 'success', seconds: 20, nodes: { orders: 8 } },
    { status: 'success', seconds: 20, nodes: { orders: 6 } },
  ]);
  const steps = ['build', 'docs', 'run'].map((name) => ({ command: `dbt ${name}`, argv: [name] }));
  await system.pool.query(
    `UPDATE runs SET settings = jsonb_set(settings, '{steps}', $2::jsonb) WHERE id = ANY($1)`,
    [runs, JSON.stringify(steps)],
  );
  await system.pool.query(
    `INSERT INTO node_results (run_id, step, unique_id, resource_type, status, duration_seconds)
     SELECT run_id, step, unique_id, 'model', 'success', seconds FROM unnest($1::text[]) AS run_id,
       (VALUES (2, 'model.shop.orders', 0.1), (2, 'model.shop.never_built', 0.1), (3, 'model.shop.orders', 1))
         AS each (step, unique_id, seconds)`,
    [runs],
  );
  expect((await system.call('GET', path)).body.slowest_nodes).toEqual([
    {
      unique_id: 'model.shop.orders',
      resource_type: 'model',
      usual_seconds: 8,
      longest_seconds: 9,
      runs: 2,
    },
  ]);
});

test('neither a run of another command nor a retry says what a job usually takes', async () => {
  const { path } = await jobWith([
    { status: 'success', seconds: 20 },
    { status: 'success', seconds: 1, override: 'dbt parse' },
    { status: 'success', seconds: 2, isRetry: true },
  ]);
  expect((await system.call('GET', path)).body.usual_duration_seconds).toBe(20);
});

test('a job that has never run to its end has no trends, and is told of all the same', async () => {
  const { path, jobId } = await jobWith([]);
  expect((await expectStatus(200, system.call('GET', path))).body).toEqual({
    usual_duration_seconds: null,
    success_rate: null,
    counts: { success: 0, partial: 0, failed: 0, error: 0 },
    runs: [],
    slowest_nodes: [],
  });
  const all = (await system.call('GET', '/api/v1/usual-durations')).body.data;
  expect(all.map((each: { job_id: string }) => each.job_id)).not.toContain(jobId);
  for (const runs of ['0', '501', 'x'])
    expect((await system.call('GET', `${path}?runs=${runs}`)).status).toBe(400);
});
