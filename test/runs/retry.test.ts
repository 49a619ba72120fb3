import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packFolder } from '../../scripts/setup/archive.ts';
import { createJob, ended, expectStatus, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { begin, logOf } from '../worker/probe.ts';
import { deployHalting, givenIn, hasHalted, statusesOf } from './halting.ts';

let system: System;
let project: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ environment: { DCTL_CANCEL_GRACE_SECONDS: '2' } });
  project = await deployHalting(system);
});
afterAll(() => system.stop());

async function retried(runId: string): Promise<any> {
  const answer = await expectStatus(200, system.call('POST', `/api/v1/runs/${runId}/retry`, {}));
  return ended(system, answer.body.job_run_id);
}

/** Deploys the project anew, with some of its files changed, or gone. */
async function redeploy(changes: Record<string, string | null>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-halting-'));
  try {
    await cp(join(import.meta.dirname, 'halting-dbt'), folder, { recursive: true });
    for (const [path, content] of Object.entries(changes)) {
      await (content === null ? rm(join(folder, path)) : writeFile(join(folder, path), content));
    }
    const path = `/api/v1/projects/${project.projectId}/deployments`;
    const gzip = { 'content-type': 'application/gzip' };
    await expectStatus(201, system.call('POST', path, await packFolder(folder), gzip));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('a run with a model that fails, in the second of three steps', () => {
  const commands = [
    'dbt run --select first',
    `dbt run --select first+ --exclude halting+ --full-refresh --vars '{"text": "as before"}'`,
    'dbt run-operation say',
  ];
  let failed: any;

  beforeAll(async () => {
    const jobId = await createJob(system, project.projectId, { command: undefined, commands });
    failed = await ended(system, await trigger(system, { ...project, jobId }));
  });

  test('is retried with a repaired model from that step on, and in it with what failed or was skipped alone', async () => {
    expect(failed).toMatchObject({
      status: 'partial',
      nodes_succeeded: 2,
      nodes_failed: 1,
      nodes_skipped: 1,
    });
    await redeploy({ 'models/broken.sql': "select 2 as id from {{ ref('first') }}\n" });
    const repaired = await retried(failed.id);
    expect({ repaired, log: await logOf(system, repaired.id) }).toMatchObject({
      repaired: {
        status: 'success',
        command: failed.command,
        attempt: 2,
        steps: [
          { command: 'dbt retry', status: 'success' },
          { command: 'dbt run-operation say', status: 'success' },
        ],
      },
    });
    expect(await statusesOf(system, repaired.id)).toEqual({
      broken: 'success',
      after_broken: 'success',
      say: 'success',
    });
    expect(await givenIn(system, repaired.id)).toEqual([
      { target: 'dev', fresh: true, nothing: 1, text: 'as before' },
    ]);
    const shown = (await system.call('GET', `/api/v1/runs/${failed.id}`)).body;
    expect(shown.retried_by).toBe(repaired.id);
  });

  test('is told to be run anew when the model is gone', async () => {
    await redeploy({ 'models/broken.sql': null, 'models/after_broken.sql': null });
    const without = await retried(failed.id);
    expect(without).toMatchObject({
      status: 'failed',
      error_message: expect.stringMatching(
        /model\.shop\.(after_)?broken.* no longer in the project: run the job instead of retrying\.$/,
      ),
    });
  });
});

test('a run that was cancelled at work is retried without what it had done', async () => {
  const command = `dbt run --select first+ --exclude broken+ --vars '{"halts": 1}'`;
  const runId = await begin(system, project, command);
  await hasHalted(system, runId);
  await expectStatus(200, system.call('POST', `/api/v1/runs/${runId}/cancel`));
  const cancelled = await ended(system, runId);
  expect(cancelled).toMatchObject({ status_reason: 'cancelled', nodes_succeeded: 1, nodes_skipped: 1 });
  const again = await retried(runId);
  expect(again).toMatchObject({ status: 'success', steps: [{ command: 'dbt retry' }] });
  expect(await statusesOf(system, again.id)).toEqual({ halting: 'success', last: 'success' });
});
