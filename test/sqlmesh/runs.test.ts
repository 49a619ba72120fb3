import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { ensureRunnerImage } from '../../scripts/setup/runner-image.ts';
import { createJob, deployProject, ended as endedWithin, expectStatus, trigger } from '../support/project.ts';
import type { DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { example, variantOfExample } from './variant.ts';

// Importing SQLMesh alone takes seconds of a processor, which a busy machine makes a minute of.
const runLimitMs = 240_000;
jest.setTimeout(3 * runLimitMs);
const ended = (system: System, runId: string) => endedWithin(system, runId, runLimitMs);

let system: System;
let shop: DeployedProject;

beforeAll(async () => {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const image = await ensureRunnerImage({ log, program: 'sqlmesh' });
  system = await startSystem({ environment: { DCTL_SQLMESH_IMAGE: image } });
  shop = await deployProject(system, { type: 'sqlmesh', folder: example });
}, 15 * 60_000);

afterAll(async () => {
  await system?.stop();
});

async function logOf(runId: string): Promise<string> {
  return (await expectStatus(200, system.call('GET', `/api/v1/runs/${runId}/logs`))).text;
}

test("a SQLMesh project's first job plans and applies, and no webhook tells of it", async () => {
  // The API refuses to enable one; a row from elsewhere must not fire either.
  const job = `/api/v1/projects/${shop.projectId}/jobs/${shop.jobId}`;
  await expectStatus(200, system.call('PATCH', job, { webhook_url: 'http://127.0.0.1:9/hook' }));
  await system.pool.query('UPDATE jobs SET webhook_enabled = true WHERE id = $1', [shop.jobId]);

  const runId = await trigger(system, shop);
  const run = await ended(system, runId);
  expect(run).toMatchObject({
    status: 'success',
    command: 'sqlmesh plan --auto-apply --no-prompts',
    exit_code: 0,
    error_message: null,
    nodes_total: null,
    name: expect.stringMatching(/^scheduled-run-manual-/),
  });
  const log = await logOf(runId);
  expect(log).toContain('Successfully Ran `1` Tests');
  expect(log).toMatch(/shop\.daily_revenue +\[insert .*audits passed 2\]/);
  expect(log).toContain('Virtual layer updated');
  expect((await system.pool.query('SELECT id FROM deliveries')).rows).toEqual([]);
});

test('several SQLMesh commands run in order, on what the run before left', async () => {
  const commands = [
    'sqlmesh run',
    'sqlmesh test -k cancelled',
    'sqlmesh audit --model shop.daily_revenue -s 2025-01-01 -e 2025-12-31',
    "sqlmesh --log-to-stdout plan dev --auto-apply --include-unmodified --select-model '+shop.customers'",
  ];
  const jobId = await createJob(system, shop.projectId, { command: undefined, commands });
  const runId = await trigger(system, { ...shop, jobId });
  expect(await ended(system, runId)).toMatchObject({ status: 'success', exit_code: 0, error_message: null });
  const log = await logOf(runId);
  expect(log).toContain('No models are ready to run');
  expect(log).toContain('no_negative_revenue on model shop.daily_revenue ✅ PASS');
  expect(log).toContain('New environment `dev` will be created');
});

test('what fails in SQLMesh fails the run, which says what it was and where', async () => {
  const { folder, remove } = await variantOfExample({
    'config.yaml': (text) => text.replace('sqlmesh_shop', "{{ env_var('SHOP_NAME') }}"),
    'tests/test_customers.yaml': (text) => text.replace('spent_cents: 750', 'spent_cents: 751'),
    'audits/no_negative_revenue.sql': (text) => text.replace('revenue_cents < 0', 'revenue_cents > 0'),
  });
  try {
    const project = await deployProject(system, { type: 'sqlmesh', folder });
    const environment = `/api/v1/projects/${project.projectId}/environments/${project.environmentId}`;
    await expectStatus(200, system.call('PATCH', environment, { env_vars: { SHOP_NAME: 'eu_shop' } }));
    const failed = async (commands: string[]) => {
      const jobId = await createJob(system, project.projectId, { command: undefined, commands });
      return ended(system, await trigger(system, { ...project, jobId }));
    };
    const [test, audit] = [
      await failed(['sqlmesh test', 'sqlmesh run']),
      await failed(['sqlmesh plan --auto-apply --skip-tests']),
    ];
    expect(test).toMatchObject({ status: 'failed', exit_code: 1 });
    expect(test.error_message).toMatch(/test_customers_leaves_out_cancelled_orders[^]*751 +│ +750/);
    expect(audit).toMatchObject({ status: 'failed', exit_code: 1 });
    expect(audit.error_message).toMatch(
      /^Failed models\n\* `"eu_shop"\."shop"\."daily_revenue"`\n +'no_negative_revenue' audit error: 26 rows failed[^]*Error: Plan application failed\.$/,
    );
  } finally {
    await remove();
  }
});

test('a SQLMesh run that is cancelled has its query interrupted, and SQLMesh ends by itself', async () => {
  const { folder, remove } = await variantOfExample({
    'models/endless.sql': () =>
      `MODEL (name shop.endless, kind FULL);
       SELECT COUNT(*)::INT AS n
       FROM shop.customers CROSS JOIN shop.daily_revenue
       CROSS JOIN range(3000000) AS a(x) CROSS JOIN range(3000000) AS b(y)
       WHERE (a.x * b.y) % 7 = 3`,
  });
  try {
    const project = await deployProject(system, { type: 'sqlmesh', folder });
    const runId = await trigger(system, project);
    await until(
      'the other models are done',
      () => logOf(runId),
      (log) => /shop\.daily_revenue +\[/.test(log) && /shop\.customers +\[/.test(log),
      runLimitMs,
    );
    await expectStatus(200, system.call('POST', `/api/v1/runs/${runId}/cancel`));
    expect(await ended(system, runId)).toMatchObject({ status: 'error', status_reason: 'cancelled' });
    // Whichever of its threads was at work just then.
    expect(await logOf(runId)).toMatch(/Query interrupted|Aborted!/);
  } finally {
    await remove();
  }
});

test('a missing SQLMesh image is an error that says how to make it', async () => {
  const worker = await startSystem({ environment: { DCTL_SQLMESH_IMAGE: 'dctl-sqlmesh:no-such' } });
  try {
    const project = await deployProject(worker, { type: 'sqlmesh', folder: example });
    expect(await ended(worker, await trigger(worker, project))).toMatchObject({
      status: 'error',
      status_reason: 'image_not_found',
      error_message: expect.stringContaining('npm run sqlmesh-image'),
    });
  } finally {
    await worker.stop();
  }
});
