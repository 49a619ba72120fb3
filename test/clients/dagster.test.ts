import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectNoErrors } from '../support/errors.ts';
import { expectStatus } from '../support/project.ts';
import { until } from '../support/until.ts';
import { createJobs, numbersOf, startClientSystem, type ClientSystem } from './client-system.ts';
import { filledIn, shownIn } from '../support/pages.ts';
import { runPieces, type Piece } from './run-pieces.ts';

const example = join(import.meta.dirname, '..', '..', 'examples', 'jaffle_shop');
const failing = `"build", "--select", "raw_payments", "stg_payments", "--vars", "{fail_model: true}"`;

const pieces = {
  /** As a code server reads what there is. Runs take seconds here, so nobody waits for ten until they look again. */
  loading: `
import time
from dagster import DagsterInstance, Failure, build_sensor_context, materialize
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext, DefinitionsLoadType
from dagster._core.definitions.repository_definition import RepositoryLoadData
wait = time.sleep
time.sleep = lambda seconds: wait(min(seconds, 0.3))
loading = DefinitionsLoadContext(DefinitionsLoadType.INITIALIZATION)
DefinitionsLoadContext.set(loading)`,
  /** From here on it is a process that executes runs of Dagster, and has been told what the code server has read. */
  loaded: `
read = RepositoryLoadData(reconstruction_metadata=loading.get_pending_reconstruction_metadata())
DefinitionsLoadContext.set(DefinitionsLoadContext(DefinitionsLoadType.RECONSTRUCTION, read))
workspace_defs = defs
repository = workspace_defs.get_repository_def()
result = {
    "assets": sorted(key.to_user_string() for key in dbt_models.keys),
    "checks": len(list(dbt_models.check_keys)),
}`,
  built: `
run = workspace_defs.resolve_implicit_global_asset_job_def().execute_in_process()
result = {
    "success": run.success,
    "materialized": sorted(each.asset_key.to_user_string() for each in run.get_asset_materialization_events()),
    "checks": [each.passed for each in run.get_asset_check_evaluations()],
}`,
  failed: `
result = {"events": []}
try:
    for event in workspace.cli([${failing}]).wait():
        result["events"].append([type(event).__name__, event.asset_key.to_user_string()])
except Failure as failure:
    result["failure"] = failure.description`,
  opRan: `
run = nightly.execute_in_process()
result = {
    "success": run.success,
    "details": run.output_for_node("run_nightly").run_details,
    "materialized": [
        event.materialization.asset_key.to_user_string()
        for event in run.all_events if event.is_step_materialization
    ],
}`,
  /** Only what others than Dagster's own job have built. */
  sensed: `
[sensor] = workspace_defs.sensors
with DagsterInstance.ephemeral() as instance:
    sensed = sensor(build_sensor_context(instance=instance, repository_def=repository))
result = [event.asset_key.to_user_string() for event in sensed.asset_events]`,
  clientFailed: `
client = dbt_cloud.process_config_and_initialize().get_dbt_client()
client.run_job_and_poll(JOBS["broken"], poll_interval=1)`,
  assetsOfJob: `
from dagster_dbt import load_assets_from_dbt_cloud_job
scheduled = load_assets_from_dbt_cloud_job(
    DbtCloudClientResource(auth_token=os.environ["DAGCTL_TOKEN"], account_id=client._account_id, dbt_cloud_host=client._dbt_cloud_host),
    JOBS["scheduled"],
)
[assets] = scheduled.build_definitions(scheduled.compute_cacheable_data())
run = materialize([assets])
result = {
    "success": run.success,
    "materialized": [each.asset_key.to_user_string() for each in run.get_asset_materialization_events()],
    "schedules": [client.get_job(JOBS[name])["triggers"]["schedule"] for name in ["nightly", "scheduled"]],
}`,
  timedOut: `
client.run_job_and_poll(JOBS["slow"], poll_interval=1, poll_timeout=1)`,
  /** As when somebody terminates the run of Dagster that waits for it. */
  interrupted: `
import signal, threading
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._utils.interrupts import raise_interrupts_as
invocation = workspace.cli(["build", "--vars", "{slow_seconds: 60}"])
run_id = invocation.run_handler.run_id

def terminate():
    while client.get_run(run_id)["status_humanized"] != "Running":
        wait(0.2)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=terminate).start()
try:
    with raise_interrupts_as(DagsterExecutionInterruptedError):
        list(invocation.wait())
except DagsterExecutionInterruptedError:
    result = run_id`,
};

let system: ClientSystem;
let jobs: Record<string, number>;
let told: Record<keyof typeof pieces, Piece> & { log: string };

beforeAll(async () => {
  system = await startClientSystem({}, example);
  const { projectNumber, environmentNumber } = await numbersOf(system);
  jobs = await createJobs(system, {
    nightly: 'dbt run --select stg_customers',
    broken: 'dbt run-operation no_such_macro',
    scheduled: 'dbt run --select stg_orders',
    slow: "dbt build --vars '{slow_seconds: 60}'",
  });
  for (const name of ['nightly', 'scheduled']) {
    const schedule = { triggers: { schedule: true }, schedule: { cron: '0 0 1 1 *' } };
    const job = `/api/v2/accounts/${system.accountId}/jobs/${jobs[name]}/`;
    await expectStatus(200, system.call('POST', job, schedule));
  }

  const [assets, op] = shownIn('docs/integrations/dagster.md', 'python');
  const here = {
    'account_id=1': `account_id=${system.accountId}`,
    'https://dctl.example.com': system.tlsUrl,
  };
  const { loading, loaded, built, failed, ...ofJobs } = pieces;
  told = (await runPieces(
    {
      loading,
      assets: filledIn(assets, {
        ...here,
        'project_id=10': `project_id=${projectNumber}`,
        'environment_id=20': `environment_id=${environmentNumber}`,
      }),
      loaded,
      built,
      failed,
      op:
        filledIn(op, {
          ...here,
          '"job_id": 30, "poll_interval": 5': `"job_id": ${jobs['nightly']}, "poll_interval": 1`,
        }) + `\nJOBS = ${JSON.stringify(jobs)}`,
      ...ofJobs,
    },
    {
      env: { DAGCTL_TOKEN: system.token, DAGSTER_DBT_CLOUD_POLL_TIMEOUT: '300' },
      certificates: system.certificates,
    },
  )) as typeof told;
}, 300_000);
afterAll(() => system.stop());

test('Dagster has the models, seeds and snapshots as assets, the tests as checks of them, and builds them all', () => {
  const { loaded, built } = told;
  expect(loaded.result.assets).toEqual(
    expect.arrayContaining(['customers', 'daily_revenue', 'orders_snapshot', 'raw_orders', 'stg_payments']),
  );
  expect(loaded.result.checks).toBeGreaterThan(10);
  expect(built).toMatchObject({ result: { success: true, materialized: loaded.result.assets } });
  expect(built.result.checks).toHaveLength(loaded.result.checks);
  expect(built.result.checks).not.toContain(false);
});

test('of a run that fails Dagster hears what was built before, and that it failed', () => {
  expect(told.failed.result).toEqual({
    events: expect.arrayContaining([['AssetMaterialization', 'raw_payments']]),
    failure: expect.stringMatching(/^dbt Cloud run '\d+' failed!$/),
  });
  expect(told.failed.result.events).not.toContainEqual(['AssetMaterialization', 'stg_payments']);
});

test('an op runs a job as it is, and has what it built', () => {
  expect(told.opRan).toMatchObject({
    result: { success: true, materialized: ['dbt/model/jaffle_shop/stg_customers'] },
  });
  expect(told.opRan.result.details).toMatchObject({
    job_definition_id: jobs['nightly'],
    status_humanized: 'Success',
    trigger: { cause: 'Triggered via Dagster' },
  });
});

test('the sensor tells of what other jobs than its own have built', () => {
  expect(told.sensed).toMatchObject({ result: ['stg_customers'] });
});

test('the failure that Dagster shows says what is wrong', () => {
  expect(told.clientFailed.error).toMatch(/Failure: Run \d+ failed\. Status Message: .*no_such_macro/s);
});

test('the models of one job become assets; the client switches the schedule off, unless told otherwise', () => {
  expect(told.assetsOfJob).toMatchObject({
    result: { success: true, materialized: ['stg_orders'], schedules: [true, false] },
  });
});

test('a run that takes longer than Dagster waits is cancelled', async () => {
  const { error = '' } = told.timedOut;
  const [, run] = /^Failure: Run (\d+) timed out after .* Attempted to cancel\.$/.exec(error) ?? [];
  expect(await endOf(Number(run))).toBe('Cancelled');
});

test('when Dagster is told to stop while it waits, the run is cancelled', async () => {
  expect(await endOf(told.interrupted.result)).toBe('Cancelled');
  expectNoErrors(system);
});

async function endOf(number: number): Promise<string> {
  const path = `/api/v2/accounts/${system.accountId}/runs/${number}/`;
  const { body } = await until(
    `run ${number} has ended`,
    () => expectStatus(200, system.call('GET', path)),
    ({ body }) => body.data.is_complete,
  );
  return body.data.status_humanized;
}
