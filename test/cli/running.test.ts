import { execFileSync } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { deployProject, ended, trigger, type DeployedProject } from '../support/project.ts';
import { startProxy } from '../support/proxy.ts';
import { startSystem, type System } from '../support/system.ts';
import { deployProjectWithoutImage, quickCommand } from '../support/webhooks.ts';
import { newPerson, type Person } from './dctl.ts';

const slowly = `dbt build --vars '{"slow_seconds": 300}'`;

let system: System;
let shop: DeployedProject;
let person: Person;

beforeAll(async () => {
  system = await startSystem();
  shop = await deployProject(system, { name: 'shop' });
});
afterAll(() => system.stop());
beforeEach(async () => {
  person = await newPerson(system);
});
afterEach(() => person.leave());

const runOf = async (id: string) => (await system.call('GET', `/api/v1/runs/${id}`)).body;

test('trigger --wait shows each node in plain lines where there is no terminal, and ends with 0', async () => {
  const why = ['--cause', 'orders were loaded', '--meta', 'rows=12'];
  const chosen = ['--select', '+stg_orders', '--exclude', 'resource_type:test'];
  const triggered = ['trigger', 'shop/scheduled-run', '--wait', ...chosen, ...why];
  const { exitCode, stdout, stderr } = await person.dctl(triggered);
  expect(stderr).toMatch(/success +[\d.]+ m?s {2}model stg_orders/);
  expect(stderr + stdout).not.toContain('\u001b');
  expect(stdout).toMatch(/scheduled-run-manual-[\d-]+: success in [\d.]+ s/);
  expect(exitCode).toBe(0);
  const [run] = (await person.dctl(['runs', '--json', '--limit', '1'])).json;
  expect(run).toMatchObject({
    cause: 'orders were loaded',
    metadata: { rows: 12 },
    command_override: 'dbt build --select +stg_orders --exclude resource_type:test',
  });
});

test('a run that is partial ends with 1; it says which node failed and why, and so does dctl show', async () => {
  const failing = `dbt build --vars '{"fail_test": true}'`;
  const { exitCode, stdout, json } = await person.dctl([
    'trigger',
    'shop/scheduled-run',
    '-w',
    '--json',
    '--command',
    failing,
  ]);
  expect(exitCode).toBe(1);
  expect(json).toMatchObject({ status: 'partial', nodes_failed: 1 });
  expect(stdout.trim().split('\n')).toHaveLength(1);

  const shown = await person.dctl(['show', json.id]);
  expect(shown.stdout).toMatch(/✗ test .+\n +Got \d+ result/);
  expect(shown.stdout).toMatch(/Deployment +[\da-f-]{36} sha256:[\da-f]{12}\n +Environment +production\n/);
  const listed = await person.dctl(['runs', '--status', 'partial']);
  expect(listed.stdout).toContain(json.id);

  const lately = await person.dctl(['jobs', 'trends', 'shop/scheduled-run']);
  expect(lately.stdout).toMatch(/Runs .*1 partial[^]*Durations +[▁-█]+\n[^]*SLOWEST/);

  const again = await person.dctl(['retry', json.id, '--wait', '--json']);
  expect(again).toMatchObject({ exitCode: 1, json: { retry_of: json.id } });

  const files = await person.dctl(['artifacts', json.id, '--json']);
  expect(files.json.map(({ path }: any) => path)).toContain('run_results.json');
  const fetched = await person.dctl([
    'artifacts',
    'download',
    json.id,
    'run_results.json',
    'compiled/**/*orders.sql',
  ]);
  expect(fetched.exitCode).toBe(0);
  const results = JSON.parse(await readFile(join(person.home, 'artifacts/run_results.json'), 'utf8'));
  expect(results.results.length).toBeGreaterThan(0);
  await expect(access(join(person.home, 'artifacts/manifest.json'))).rejects.toThrow();
  const none = await person.dctl(['artifacts', 'download', json.id, 'nothing.json']);
  expect(none).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('nothing.json') });
});

test('a selection of nothing is a success with a warning', async () => {
  const { exitCode, stderr } = await person.dctl([
    'trigger',
    'shop/scheduled-run',
    '-w',
    '-s',
    'no_such_model',
  ]);
  expect(stderr).toContain('Warning: no nodes were selected');
  expect(exitCode).toBe(0);
});

test('a run that cannot be brought to its end ends with 2', async () => {
  const { jobId } = await deployProjectWithoutImage(system);
  const { exitCode, stdout } = await person.dctl(['trigger', jobId, '--wait']);
  expect(stdout).toContain('error (image_not_found)');
  expect(exitCode).toBe(2);
});

test('in a terminal --follow shows the log and a progress line below it, and leaves only the log', async () => {
  const { exitCode, stdout } = await person.dctl(['trigger', 'shop/scheduled-run', '--follow'], {
    terminal: 90,
  });
  expect(stdout).toMatch(/[█░]{24} \d+\/\d+/);
  expect(stdout).toContain('\r\u001b[J');
  expect(stdout).toMatch(/Running with dbt=/);
  expect(stdout).toMatch(/Completed successfully/);
  expect(exitCode).toBe(0);
});

test('logs -f follows to the end through a connection that breaks, and shows each line once', async () => {
  const proxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(system.url).port) });
  try {
    const environment = { DCTL_URL: `http://127.0.0.1:${proxy.port}` };
    const runId = await trigger(system, shop, {
      command_override: `dbt build --vars '{"slow_seconds": 4}'`,
    });
    const following = person.start(['logs', '-f', runId], { environment });
    await following.said('Running with dbt=');
    await proxy.cut();
    await proxy.mend();
    const { exitCode, stdout } = await following.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toBe((await person.dctl(['logs', runId])).stdout);
    expect((await person.dctl(['logs', runId, '--json'])).stdout.split('\n')[0]).toMatch(/^\{"line":".*"\}$/);
  } finally {
    await proxy.close();
  }
});

test('Ctrl-C leaves the run alone and says how to go on; with --cancel-on-interrupt it ends it', async () => {
  const left = person.start(['trigger', 'shop/scheduled-run', '-w', '--command', slowly]);
  await left.said('running');
  left.signal('SIGINT');
  const first = await left.ended;
  expect(first).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('The run goes on') });
  const [run] = (await person.dctl(['runs', '--json', '-n', '1'])).json;
  expect(run.status).toBe('running');

  const cancelled = await person.dctl(['cancel', run.id, '--wait']);
  expect(cancelled).toMatchObject({ exitCode: 2, stdout: expect.stringContaining('error (cancelled)') });
  const listed = (await person.dctl(['runs', '--status', 'cancelled', '--project', 'shop', '--json'])).json;
  expect(listed).toMatchObject([{ id: run.id, status_reason: 'cancelled' }]);

  const taken = person.start([
    'trigger',
    'shop/scheduled-run',
    '-w',
    '--cancel-on-interrupt',
    '--command',
    slowly,
  ]);
  await taken.said('running');
  taken.signal('SIGTERM');
  expect(await taken.ended).toMatchObject({
    exitCode: 130,
    stderr: expect.stringContaining('is being cancelled'),
  });
  const [other] = (await person.dctl(['runs', '--json', '-n', '1'])).json;
  expect(await ended(system, other.id)).toMatchObject({ status_reason: 'cancelled' });
});

test('the same key makes no second run, and latest is the newest', async () => {
  const args = ['trigger', 'shop/scheduled-run', '--key', 'once', '--command', quickCommand, '--json'];
  const [first, second] = [await person.dctl(args), await person.dctl(args)];
  expect(second.json.job_run_id).toBe(first.json.job_run_id);
  expect((await person.dctl(['wait', 'latest', '--json'])).json).toMatchObject({
    id: first.json.job_run_id,
    status: 'success',
  });
  expect((await runOf(first.json.job_run_id)).status).toBe('success');
});

test('a reader that has had enough ends it quietly', async () => {
  const { exitCode, stderr } = await person.dctl(['runs'], {});
  expect([exitCode, stderr]).toEqual([0, '']);
  const line = execFileSync('sh', ['-c', `"${process.execPath}" cli/dctl.mjs runs --limit 1000 | head -1`], {
    env: { ...person.environment },
    encoding: 'utf8',
  });
  expect(line).toMatch(/^RUN/);
});
