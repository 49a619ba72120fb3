import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
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
  status?: string;
  cleared?: boolean;
  /** Of each step that began: its status, whether its invocation is known, and its nodes' statuses. */
  steps?: { status: string; isKnown?: boolean; nodes?: Record<string, string> }[];
}

/** A run of these commands that came to this end, as a worker would have written it. */
async function runThat(commands: string[], past: Past = {}, of = project): Promise<string> {
  const jobId = await createJob(system, of.projectId, { command: undefined, commands });
  const id = await trigger(system, { ...of, jobId });
  await system.pool.query(
    `UPDATE runs SET status = $2, status_reason = CASE $2 WHEN 'error' THEN 'killed' END, started_at = now(),
       finished_at = now(), cleared_at = CASE WHEN $3 THEN now() END WHERE id = $1`,
    [id, past.status ?? 'error', past.cleared ?? false],
  );
  for (const [place, { status, isKnown = true, nodes = {} }] of (past.steps ?? []).entries()) {
    await system.pool.query(
      'INSERT INTO run_steps (run_id, number, status, started_at, arguments) VALUES ($1, $2, $3, now(), $4)',
      [id, place + 1, status, isKnown ? '{"which": "build"}' : null],
    );
    for (const [name, of] of Object.entries(nodes)) {
      await system.pool.query(
        'INSERT INTO node_results (run_id, step, unique_id, resource_type, status) VALUES ($1, $2, $3, $4, $5)',
        [id, place + 1, name, name.split('.')[0], of],
      );
    }
  }
  return id;
}

const retry = (runId: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  system.call('POST', `/api/v1/runs/${runId}/retry`, body, headers);
const get = async (runId: string) => (await system.call('GET', `/api/v1/runs/${runId}`)).body;

/** The commands of a retry, and whether its first goes on from the run's results. */
async function retryOf(runId: string): Promise<{ commands: string[]; from: unknown }> {
  const { job_run_id: id } = (await expectStatus(200, retry(runId))).body;
  const { rows } = await system.pool.query('SELECT settings FROM runs WHERE id = $1', [id]);
  const { steps, retryFrom } = rows[0].settings;
  return { commands: steps.map(({ command }: any) => command), from: retryFrom };
}

const half = { 'model.a': 'success', 'model.b': 'skipped' };

describe('what a retry runs', () => {
  const commands = ['dbt seed', 'dbt build', 'dbt docs generate'];

  test('is the rest of the step that did not end well, and the steps after it', async () => {
    const id = await runThat(commands, {
      steps: [{ status: 'success' }, { status: 'running', nodes: half }],
    });
    expect(await retryOf(id)).toEqual({
      commands: ['dbt retry', 'dbt docs generate'],
      from: { runId: id, step: 2 },
    });
  });

  test.each<[string, NonNullable<Past['steps']>]>([
    [
      'nothing of it had ended well',
      [{ status: 'success' }, { status: 'failed', nodes: { 'model.a': 'error' } }],
    ],
    ['it had not come to its nodes', [{ status: 'success' }, { status: 'failed' }]],
    ['it had not begun', [{ status: 'success' }]],
    [
      'only a hook of it failed',
      [{ status: 'success' }, { status: 'failed', nodes: { 'model.a': 'success', 'operation.a': 'error' } }],
    ],
    [
      'it is not known how dbt was invoked',
      [{ status: 'success' }, { status: 'running', isKnown: false, nodes: half }],
    ],
  ])('is the step from its beginning when %s', async (_when, steps) => {
    expect(await retryOf(await runThat(commands, { steps }))).toEqual({
      commands: ['dbt build', 'dbt docs generate'],
      from: null,
    });
  });

  test('is the step from its beginning when its command leaves nothing in the warehouse', async () => {
    const steps = [{ status: 'success' }, { status: 'success' }, { status: 'running', nodes: half }];
    expect(await retryOf(await runThat(commands, { steps }))).toEqual({
      commands: ['dbt docs generate'],
      from: null,
    });
  });

  test('is the step from its beginning when it is one of SQLMesh, which knows what it has done', async () => {
    const folder = join(process.cwd(), 'examples', 'sqlmesh_shop');
    const shop = await deployProject(system, { folder, type: 'sqlmesh' });
    const steps = [{ status: 'success' }, { status: 'failed' }];
    const id = await runThat(['sqlmesh plan --auto-apply --no-prompts', 'sqlmesh run'], { steps }, shop);
    expect(await retryOf(id)).toEqual({ commands: ['sqlmesh run'], from: null });
  });

  test('is everything when the run never began, and then the same again when its retry does not either', async () => {
    const id = await runThat(commands);
    expect(await retryOf(id)).toEqual({ commands, from: null });
    const going = await runThat(['dbt build --warn-error'], { steps: [{ status: 'running', nodes: half }] });
    const first = (await retry(going)).body.job_run_id;
    await system.pool.query("UPDATE runs SET status = 'error', finished_at = now() WHERE id = $1", [first]);
    expect(await retryOf(first)).toEqual({
      commands: ['dbt retry --warn-error'],
      from: { runId: going, step: 1 },
    });
  });

  test('is told with the run, which tells of its newest retry', async () => {
    const id = await runThat(['dbt build']);
    const request = { cause: 'the network is back', metadata: { ticket: 7 } };
    const answer = await expectStatus(200, retry(id, request));
    const made = await get(answer.body.job_run_id);
    const parent = await get(id);
    expect(answer.body).toEqual({
      message: 'DBT job run triggered successfully',
      job_run_id: made.id,
      job_id: parent.job_id,
      job_name: made.name,
    });
    expect(made).toMatchObject({
      ...request,
      status: 'queued',
      triggered_by: 'retry',
      retry_of: id,
      attempt: 2,
      command: 'dbt build',
      retried_by: null,
    });
    expect(parent.retried_by).toBe(made.id);
    const listed = (await system.call('GET', `/api/v1/runs?job_id=${parent.job_id}`)).body.data;
    expect(listed).toEqual([made, parent]);
    const audit = (await system.call('GET', `/api/v1/audit?subject_id=${made.id}`)).body.data;
    expect(audit).toMatchObject([{ action: 'run.triggered', details: { triggered_by: 'retry' } }]);
  });
});

describe('a retry is refused', () => {
  const refused = async (runId: string) => {
    const { status, body } = await retry(runId);
    return `${status} ${body.detail}`;
  };

  test('of a run that has not ended, or ended with success', async () => {
    expect(await refused(await trigger(system, project))).toMatch(
      /^409 The run is still queued: wait for its end, or cancel it/,
    );
    expect(await refused(await runThat(['dbt build'], { status: 'success' }))).toMatch(
      /^409 The run ended with success/,
    );
    const steps = [{ status: 'success' }];
    expect(await refused(await runThat(['dbt build'], { steps }))).toMatch(
      /^409 Each step of the run ended well/,
    );
  });

  test('while another one of the run waits or executes, also when many ask at once', async () => {
    const id = await runThat(['dbt build']);
    const answers = await Promise.all(Array.from({ length: 20 }, () => retry(id)));
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
    const made = answers.find(({ status }) => status === 200)!.body.job_run_id;
    expect(await refused(id)).toBe(`409 A retry of the run is queued already: ${made}.`);
    await system.pool.query("UPDATE runs SET status = 'failed', finished_at = now() WHERE id = $1", [made]);
    expect((await retry(id)).status).toBe(200);
  });

  test('when its job is switched off or deleted', async () => {
    const id = await runThat(['dbt build']);
    const path = `/api/v1/projects/${project.projectId}/jobs/${(await get(id)).job_id}`;
    await expectStatus(200, system.call('PATCH', path, { enabled: false }));
    expect(await refused(id)).toMatch(/^409 The job is switched off/);
    await expectStatus(204, system.call('DELETE', path));
    expect(await refused(id)).toMatch(/^409 The run's job was deleted/);
  });

  test('when nobody knows any more what was left undone', async () => {
    const steps = [{ status: 'failed', isKnown: false, nodes: half }];
    expect(await refused(await runThat(['dbt build'], { steps, cleared: true }))).toMatch(
      /^410 The run's results were removed/,
    );
  });

  test('of fields that only a trigger has', async () => {
    const answer = await retry(await runThat(['dbt build']), { command_override: 'dbt ls' });
    expect(answer).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('command_override') },
    });
  });
});

describe('with an Idempotency-Key', () => {
  test('a request sent again makes no second retry', async () => {
    const id = await runThat(['dbt build']);
    const key = { 'idempotency-key': 'retry-once' };
    const answers = await Promise.all([retry(id, {}, key), retry(id, {}, key), retry(id, {}, key)]);
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0].status).toBe(200);
    expect((await retry(id, {}, key)).text).toBe(answers[0].text);
  });

  test('a key that was sent for another run, or with other words, is refused', async () => {
    const [first, second] = [await runThat(['dbt build']), await runThat(['dbt build'])];
    const key = { 'idempotency-key': 'retry-other' };
    expect((await retry(first, { cause: 'one' }, key)).status).toBe(200);
    expect((await retry(first, { cause: 'two' }, key)).status).toBe(422);
    expect((await retry(second, { cause: 'one' }, key)).status).toBe(422);
  });
});
