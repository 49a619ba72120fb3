import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { ended, expectStatus } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { begin, logOf } from '../worker/probe.ts';
import { deployHalting, givenIn, hasHalted, killed, nameOf, nodesOf, statusesOf } from './halting.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

const retry = async (runId: string): Promise<string> =>
  (await expectStatus(200, system.call('POST', `/api/v1/runs/${runId}/retry`, {}))).body.job_run_id;

const resultsOf = async (runId: string) =>
  (await system.call('GET', `/api/v1/runs/${runId}/artifacts/run_results.json`)).body;

describe('a run whose dbt is killed while it works', () => {
  const vars = { halts: 2, nothing: null, text: "it's\nthis" };
  const command = `dbt build --select first+ --exclude broken+ --full-refresh --target other --vars '${JSON.stringify(vars).replace("'", '\\u0027')}'`;
  const given = { target: 'other', fresh: true, nothing: null, text: vars.text };
  let during: any;
  let nodesDuring: any[];
  let after: any;
  let runId: string;

  beforeAll(async () => {
    runId = await begin(system, await deployHalting(system), command, { max_parallel_runs: 1 });
    nodesDuring = await hasHalted(system, runId);
    during = (await system.call('GET', `/api/v1/runs/${runId}`)).body;
    await killed(system, runId);
    after = await ended(system, runId);
  });

  test('shows from the beginning what it is going to do, what has not begun last', async () => {
    expect(nodesDuring.map((node) => [nameOf(node), node.status])).toEqual([
      ['first', 'success'],
      ['halting', 'started'],
      ['last', 'queued'],
      ['not_null_last_id', 'queued'],
      ['last_is_as_halting', 'queued'],
    ]);
    expect(during).toMatchObject({ status: 'running', nodes_done: 1, nodes_succeeded: 1, nodes_skipped: 0 });
  });

  test('counts as failed what was at work, and as skipped what had not begun', async () => {
    expect(after).toMatchObject({
      status: 'error',
      status_reason: 'killed',
      nodes_total: during.nodes_total,
      nodes_succeeded: 1,
      nodes_failed: 1,
      nodes_skipped: 3,
    });
    const skipped = (await nodesOf(system, runId)).filter(({ status }) => status === 'skipped');
    expect(skipped.map(({ message }) => message)).toEqual(
      Array.from({ length: 3 }, () => 'The run ended before this node began.'),
    );
  });

  test('has the results that dbt could not write, and dbt takes them for its own', async () => {
    const results = await resultsOf(runId);
    const [step] = (await system.pool.query('SELECT * FROM run_steps WHERE run_id = $1', [runId])).rows;
    expect(results.metadata).toMatchObject({
      invocation_id: step.invocation_id,
      dbt_version: step.program_version,
    });
    expect(results.args).toMatchObject({ which: 'build', full_refresh: true, vars });
    const status = (id: string) => results.results.find((each: any) => each.unique_id === id)?.status;
    expect(status('model.shop.first')).toBe('success');
    expect(status('model.shop.halting')).toBe('error');
    expect(status('unit_test.shop.last.last_is_as_halting')).toBe('skipped');
    const first = results.results.find((each: any) => each.unique_id === 'model.shop.first');
    expect(first).toMatchObject({
      relation_name: '"halting"."other"."first"',
      adapter_response: { _message: 'OK' },
      timing: [{ name: 'compile' }, { name: 'execute' }],
      failures: null,
    });
    expect(await dbtReads(results)).toBe('error,skipped,skipped,skipped,success');
  });

  test('is retried without what it had done, again and again, with all that dbt was told at first', async () => {
    const secondId = await retry(runId);
    await hasHalted(system, secondId);
    // Whatever it had written is gone with it.
    await system.docker.getContainer(`dctl-run-${secondId}`).remove({ force: true });
    const second = await ended(system, secondId);
    expect(second).toMatchObject({
      status: 'error',
      status_reason: 'container_lost',
      triggered_by: 'retry',
      retry_of: runId,
      attempt: 2,
      command,
      command_override: null,
      steps: [{ command: 'dbt retry --target other' }],
    });
    expect(await statusesOf(system, secondId)).toEqual({
      halting: 'interrupted',
      last_is_as_halting: 'skipped',
      last: 'skipped',
      not_null_last_id: 'skipped',
    });

    expect((await resultsOf(secondId)).results).toHaveLength(4);
    // As after a run that no worker could end: nothing but the ledger is left of it.
    await rm(join(system.environment['DCTL_STORAGE_DIR']!, 'runs', secondId), { recursive: true });

    const thirdId = await retry(secondId);
    const third = await ended(system, thirdId);
    expect({ third, log: await logOf(system, thirdId) }).toMatchObject({
      third: { status: 'success', attempt: 3, nodes_total: 4, nodes_succeeded: 4 },
    });
    expect(await statusesOf(system, thirdId)).toEqual({
      halting: 'success',
      last_is_as_halting: 'pass',
      last: 'success',
      not_null_last_id: 'pass',
    });
    expect(await givenIn(system, thirdId)).toEqual([given]);
    expect((await resultsOf(thirdId)).args).toMatchObject({ which: 'build', full_refresh: true, vars });
    const shown = (await system.call('GET', `/api/v1/runs/${runId}`)).body;
    expect(shown.retried_by).toBe(secondId);
  });
});

/** Reads results with dbt's own class, and holds them against its schema. Returns the statuses, sorted. */
async function dbtReads(results: unknown): Promise<string> {
  const script = `
import json, jsonschema
from dbt.artifacts.schemas.run import RunResultsArtifact
jsonschema.Draft202012Validator(RunResultsArtifact.json_schema()).validate(json.load(open('/tmp/run_results.json')))
read = RunResultsArtifact.read_and_check_versions('/tmp/run_results.json')
print(','.join(sorted(str(result.status) for result in read.results)))
`;
  const container = await system.docker.createContainer({
    Image: process.env['DCTL_TEST_RUNNER_IMAGE'] ?? '',
    Cmd: ['python3', '-c', script],
    Tty: true,
    HostConfig: { NetworkMode: 'none' },
  });
  try {
    const files = pack();
    files.entry({ name: 'run_results.json' }, JSON.stringify(results));
    files.finalize();
    await container.putArchive(await buffer(files as AsyncIterable<Uint8Array>), { path: '/tmp' });
    await container.start();
    await container.wait();
    return (await container.logs({ stdout: true, stderr: true })).toString().trim();
  } finally {
    await container.remove({ force: true, v: true });
  }
}
