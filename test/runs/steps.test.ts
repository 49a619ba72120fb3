import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createJob, deployProject, ended, trigger, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { deployProbe, logOf } from '../worker/probe.ts';

let system: System;
let probe: DeployedProject;

beforeAll(async () => {
  system = await startSystem({ environment: { DCTL_WORKER_CONCURRENCY: '2' } });
  probe = await deployProbe(system);
});
afterAll(() => system.stop());

async function begin(
  project: DeployedProject,
  commands: string[],
  request: Record<string, unknown> = {},
): Promise<string> {
  const jobId = await createJob(system, project.projectId, { command: undefined, commands });
  return trigger(system, { ...project, jobId }, request);
}

const get = (runId: string, path: string, headers: Record<string, string> = {}) =>
  system.call('GET', `/api/v1/runs/${runId}${path}`, undefined, headers);

/** The arguments of the invocation that an artifact of dbt's is of. */
async function selectedIn(runId: string, query: string): Promise<string[]> {
  const { body } = await get(runId, `/artifacts/run_results.json${query}`);
  return body.args.select;
}

describe('a run whose second of three steps fails', () => {
  const commands = [
    `dbt run --select counting --vars '{"lines": 5, "pause": 0.2}'`,
    `dbt run --select counting broken --vars '{"lines": 5, "pause": 0.2}'`,
    'dbt run-operation say',
  ];
  const headerOf = (number: number) => `[dctl] step ${number} of 3: ${commands[number - 1]}\n`;
  let runId: string;
  let before: any;
  let after: any;
  let followed: string[];

  beforeAll(async () => {
    runId = await begin(probe, commands);
    const following = [
      get(runId, '/logs?step=1&follow=1'),
      get(runId, '/logs?step=2&follow=1'),
      get(runId, '/logs?step=3&follow=1'),
      get(runId, '/logs?step=2', { accept: 'text/event-stream' }),
    ];
    before = (await get(runId, '')).body;
    after = await ended(system, runId);
    followed = (await Promise.all(following)).map(({ text }) => text);
  });

  test('shows every step from the beginning on, and in the end what became of each', async () => {
    expect(before.steps.map(({ number, command }: any) => [number, command])).toEqual(
      commands.map((command, place) => [place + 1, command]),
    );
    expect(before.steps[2]).toMatchObject({ status: 'queued', start_time: null, end_time: null });
    expect(after.steps).toEqual([
      expect.objectContaining({ status: 'success', exit_code: 0, error_message: null, nodes_succeeded: 1 }),
      expect.objectContaining({ status: 'failed', exit_code: 1, nodes_succeeded: 1, nodes_failed: 1 }),
      expect.objectContaining({ status: 'skipped', exit_code: null, start_time: null, nodes_succeeded: 0 }),
    ]);
    const [first, second] = after.steps;
    const times = [after.start_time, first.start_time, first.end_time, second.start_time, second.end_time];
    expect(times).toEqual(times.toSorted());
    const listed = (await system.call('GET', '/api/v1/runs')).body.data;
    expect(listed.find(({ id }: any) => id === runId)).toEqual(after);
  });

  test('is partial, as one command with the same nodes would be', async () => {
    expect(after).toMatchObject({
      status: 'partial',
      exit_code: 1,
      command: commands.join(' && '),
      nodes_total: 3,
      nodes_succeeded: 2,
      nodes_failed: 1,
    });
  });

  test('says in its log which step begins, and stops where it failed', async () => {
    const log = await logOf(system, runId);
    expect(log.match(/^\[dctl\] .*\n/gm)).toEqual([headerOf(1), headerOf(2)]);
    expect(log.match(/^line \d/gm)).toHaveLength(5 + 5);
    expect(log).not.toContain('said');
  });

  test('has a part of the log for each step, which together are the whole', async () => {
    const parts = await Promise.all([1, 2, 3].map((step) => get(runId, `/logs?step=${step}`)));
    const [first, second, third] = parts.map(({ text }) => text);
    expect(first! + second!).toBe(await logOf(system, runId));
    expect(first).toMatch(/^line 4 ✓$/m);
    expect(second!.startsWith(headerOf(2))).toBe(true);
    expect(third).toBe('');
  });

  test("lets followers have one step's part as it comes, and no more", async () => {
    const parts = await Promise.all([1, 2, 3].map((step) => get(runId, `/logs?step=${step}`)));
    expect(followed.slice(0, 3)).toEqual(parts.map(({ text }) => text));
    const events = followed[3]!.split('\n\n').slice(0, -1);
    expect(events.pop()).toBe('event: end\ndata: {"status":"partial"}');
    expect(events.flatMap((event) => event.match(/(?<=^data: ).*/gm)).join('\n')).toBe(
      parts[1]!.text.trimEnd(),
    );
    const [start, end] = [events[0]!, events.at(-1)!].map((event) => Number(/^id: (\d+)$/m.exec(event)?.[1]));
    expect(end).toBe(after.log_bytes);
    const rest = await get(runId, '/logs?step=2', {
      accept: 'text/event-stream',
      'last-event-id': String(start),
    });
    expect(rest.text).not.toContain('[dctl]');
    expect(rest.text).toContain('Completed with 1 error');
  });

  test('lists the nodes of each step, also one that is in two', async () => {
    const nodes = async (query: string) =>
      (await get(runId, `/nodes${query}`)).body.data.map((node: any) => [node.step, node.unique_id]);
    const second = [
      [2, 'model.probe.counting'],
      [2, 'model.probe.broken'],
    ];
    const all = [[1, 'model.probe.counting'], ...(await nodes('?step=2'))];
    expect(await nodes('')).toEqual(all);
    expect((await nodes('?step=2')).toSorted()).toEqual(second.toSorted());
    const first = (await get(runId, '/nodes?limit=1')).body;
    expect(await nodes(`?cursor=${first.next_cursor}`)).toEqual(all.slice(1));
  });

  test('keeps the files of every step, and shows the newest unless told which', async () => {
    expect(await selectedIn(runId, '')).toEqual(['counting', 'broken']);
    expect(await selectedIn(runId, '?step=2')).toEqual(['counting', 'broken']);
    expect(await selectedIn(runId, '?step=1')).toEqual(['counting']);
    expect((await get(runId, '/artifacts/run_results.json?step=3')).status).toBe(404);

    const list = async (query: string) => (await get(runId, `/artifacts${query}`)).body.data;
    const [all, first, second, third] = await Promise.all(['', '?step=1', '?step=2', '?step=3'].map(list));
    expect(third).toEqual([]);
    expect(first).toContainEqual(expect.objectContaining({ path: 'manifest.json', step: 1 }));
    const paths = (files: any[]) => files.map(({ path }) => path);
    expect(paths(all)).toEqual([...new Set([...paths(first), ...paths(second)])].toSorted());
    expect(all).toEqual(expect.arrayContaining(second));
    expect(
      all.filter(({ step }: any) => step === 1).every(({ path }: any) => !paths(second).includes(path)),
    ).toBe(true);
    expect(paths(all).filter((path: string) => /partial_parse|gpickle|^graph/.test(path))).toEqual([]);
  });

  test('is asked in vain for a step it does not have', async () => {
    for (const path of ['/logs', '/nodes', '/artifacts', '/artifacts/manifest.json']) {
      const answer = await get(runId, `${path}?step=4`);
      expect(answer).toMatchObject({
        status: 404,
        body: { detail: 'There is no such step: the run has 3.' },
      });
      expect((await get(runId, `${path}?step=0`)).status).toBe(400);
    }
  });
});

describe('a run that begins with sources which are not fresh', () => {
  const quick = `--vars '{"lines": 1, "pause": 0}'`;
  const beginWithSources = async (commands: string[]) => {
    const fields = { command: undefined, commands, generate_sources: true };
    return trigger(system, { ...probe, jobId: await createJob(system, probe.projectId, fields) });
  };
  const outcomes = (run: any) => run.steps.map(({ command, status }: any) => [command, status]);

  test('shows that, does the rest and ends as the rest does', async () => {
    const ran = await ended(system, await beginWithSources([`dbt run --select counting ${quick}`]));
    expect(ran).toMatchObject({ status: 'success', exit_code: 0, error_message: null });
    expect(ran.steps).toMatchObject([
      { command: 'dbt source freshness', status: 'failed', exit_code: 1, nodes_failed: 1 },
      { status: 'success', exit_code: 0, nodes_succeeded: 1 },
    ]);
    expect((await get(ran.id, '/nodes?step=1')).body.data).toMatchObject([
      { unique_id: 'source.probe.arrivals.orders', status: 'runtime error' },
    ]);
  });

  test('fails as its other steps do, and is taken up there', async () => {
    const fails = `dbt run --select counting broken ${quick}`;
    const ran = await ended(system, await beginWithSources([fails, 'dbt source freshness', 'dbt parse']));
    expect(ran).toMatchObject({
      status: 'partial',
      error_message: expect.stringMatching(/^1 of 2 nodes failed: model\.probe\.broken/),
    });
    expect(outcomes(ran)).toEqual([
      ['dbt source freshness', 'failed'],
      [fails, 'failed'],
      ['dbt source freshness', 'skipped'],
      ['dbt parse', 'skipped'],
    ]);
    const { body } = await get(ran.id, '');
    expect(body.nodes_total).toBe(3);
    const retry = await system.call('POST', `/api/v1/runs/${ran.id}/retry`, {});
    const { body: again } = await get(retry.body.job_run_id, '');
    expect(again.steps.map(({ command }: any) => command)).toEqual([
      'dbt retry',
      'dbt source freshness',
      'dbt parse',
    ]);
    await system.call('POST', `/api/v1/runs/${again.id}/cancel`);
  });

  test('ends there where that is one of its own commands', async () => {
    const ran = await ended(system, await begin(probe, ['dbt source freshness', 'dbt parse']));
    expect(ran.status).toBe('failed');
    expect(outcomes(ran)).toEqual([
      ['dbt source freshness', 'failed'],
      ['dbt parse', 'skipped'],
    ]);
  });
});

test('commands that use one database file after another in one process all succeed', async () => {
  const shop = await deployProject(system);
  const ran = await ended(system, await begin(shop, ['dbt seed', 'dbt run', 'dbt test']));
  expect(ran).toMatchObject({ status: 'success', exit_code: 0, nodes_failed: 0, nodes_skipped: 0 });
  expect(ran.steps.map(({ status }: any) => status)).toEqual(['success', 'success', 'success']);
  expect(ran.nodes_total).toBe(ran.steps.reduce((sum: number, step: any) => sum + step.nodes_succeeded, 0));
  expect(ran.steps.every((step: any) => step.nodes_succeeded > 0)).toBe(true);
  const log = await logOf(system, ran.id);
  expect(log.match(/Running with dbt/g)).toHaveLength(3);
});

test('an override takes the place of all commands, and its log is as dbt printed it', async () => {
  const request = { command_override: 'dbt run-operation say' };
  const ran = await ended(system, await begin(probe, ['dbt parse', 'dbt compile'], request));
  expect(ran.steps).toEqual([
    expect.objectContaining({ number: 1, command: 'dbt run-operation say', status: 'success', exit_code: 0 }),
  ]);
  const log = await logOf(system, ran.id);
  expect(log).not.toContain('[dctl]');
  expect((await get(ran.id, '/logs?step=1')).text).toBe(log);
});

test('a run killed in its second step keeps what the first left, and what the second had written', async () => {
  const runId = await begin(probe, ['dbt run --select words', 'dbt run --select stubborn', 'dbt parse']);
  await until(
    'the second step prints',
    () => logOf(system, runId),
    (log) => log.includes('going on and on'),
    90_000,
  );
  await system.docker.getContainer(`dctl-run-${runId}`).kill({ signal: 'SIGKILL' });
  const ran = await ended(system, runId);
  expect(ran).toMatchObject({ status: 'error', status_reason: 'killed' });
  expect(ran.steps).toEqual([
    expect.objectContaining({ status: 'success', exit_code: 0 }),
    expect.objectContaining({
      status: 'error',
      exit_code: null,
      error_message: ran.error_message,
      end_time: ran.end_time,
    }),
    expect.objectContaining({ status: 'skipped' }),
  ]);

  const paths = async (step: number) =>
    (await get(runId, `/artifacts?step=${step}`)).body.data.map(({ path }: any) => path);
  expect(await paths(1)).toEqual(expect.arrayContaining(['manifest.json', 'run_results.json']));
  expect(await selectedIn(runId, '?step=1')).toEqual(['words']);
  expect(await paths(2)).toContainEqual(expect.stringMatching(/stubborn\.py$/));
  const { body } = await get(runId, '/artifacts/run_results.json?step=2');
  expect(body.args.select).toEqual(['stubborn']);
  expect(body.results).toEqual([
    expect.objectContaining({ unique_id: 'model.probe.stubborn', status: 'error' }),
  ]);
});
