import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { expectNoErrors } from '../support/errors.ts';
import { ended, expectStatus, trigger } from '../support/project.ts';
import { until } from '../support/until.ts';
import { createJobs, startClientSystem, type ClientSystem } from './client-system.ts';
import { filledIn, runShown, shownCall, shownIn } from '../support/pages.ts';
import { startPrefect, type PrefectServer } from './prefect-server.ts';
import { runPieces, type Piece } from './run-pieces.ts';

const pieces = {
  flowRan: `
import asyncio
result = asyncio.run(nightly())`,
  /** The other flow that the library has, and what it says of a job that fails again. */
  failed: `
from prefect_dbt.cloud.jobs import trigger_dbt_cloud_job_run_and_wait_for_completion
credentials = DbtCloudCredentials(api_key=os.environ["DAGCTL_TOKEN"], account_id=ACCOUNT, domain=DOMAIN)
asyncio.run(
    trigger_dbt_cloud_job_run_and_wait_for_completion(
        dbt_cloud_credentials=credentials,
        job_id=JOBS["broken"],
        poll_frequency_seconds=1,
        retry_filtered_models_attempts=0,
    )
)`,
  cancelled: `
@flow
async def waits():
    job = DbtCloudJob(dbt_cloud_credentials=credentials, job_id=JOBS["slow"], interval_seconds=1)
    run = await job.trigger()
    async with credentials.get_administrative_client() as client:
        await client.call_endpoint(http_method="POST", path=f"/runs/{run.run_id}/cancel/")
    await run.wait_for_completion()
    return await run.fetch_result()

asyncio.run(waits())`,
  refused: `
@flow
async def asks():
    return await DbtCloudJob(dbt_cloud_credentials=credentials, job_id=999999).trigger()

asyncio.run(asks())`,
};

let system: ClientSystem;
let prefect: PrefectServer;
let jobs: Record<string, number>;
let told: Record<keyof typeof pieces, Piece> & { log: string };

beforeAll(async () => {
  [system, prefect] = await Promise.all([startClientSystem(), startPrefect()]);
  jobs = await createJobs(system, {
    late: 'dbt build --target kept',
    broken: 'dbt run-operation no_such_macro',
    slow: "dbt run-operation wait --args '{seconds: 60}'",
  });
  const domain = system.tlsUrl.replace('https://', '');
  const shown = filledIn(shownIn('docs/integrations/prefect.md', 'python')[0], {
    'account_id=1,': `account_id=${system.accountId},`,
    'dctl.example.com': domain,
    'job_id=30': `job_id=${jobs['late']}`,
    'interval_seconds=5': 'interval_seconds=1',
  });
  const names = `\nACCOUNT, DOMAIN, JOBS = ${system.accountId}, "${domain}", ${JSON.stringify(jobs)}`;
  told = (await runPieces(
    { flow: shown + names, ...pieces },
    {
      env: { DAGCTL_TOKEN: system.token, PREFECT_HOME: prefect.folder, PREFECT_API_URL: prefect.api },
      certificates: system.certificates,
    },
  )) as typeof told;
}, 300_000);
afterAll(async () => {
  await Promise.all([system.stop(), prefect.stop()]);
});

test('a flow waits for a run, has what failed in it done again, and knows what was built', async () => {
  const { id } = told.flowRan.result;
  expect(told.flowRan.result).toMatchObject({
    status_humanized: 'Success',
    trigger: { steps_override: [expect.stringMatching(/^dbt +build -s late +--target kept$/)] },
    artifact_paths: expect.arrayContaining(['manifest.json', 'run_results.json']),
  });
  const path = `/api/v2/accounts/${system.accountId}/runs/?job_definition_id=${jobs['late']}`;
  const { body } = await expectStatus(200, system.call('GET', path));
  expect(body.data.map((run: any) => [run.id, run.status_humanized])).toEqual([
    [expect.any(Number), 'Error'],
    [id, 'Success'],
  ]);
  expect(told.log).toContain(`Created 1 asset materializations for dbt Cloud job run ${id}`);
});

test('a flow fails with its run', () => {
  expect(told.failed.error).toMatch(/^DbtCloudJobRunFailed: /);
});

test('a flow whose run is cancelled ends as cancelled', () => {
  expect(told.cancelled.error).toMatch(/^DbtCloudJobRunCancelled: .* was cancelled\.$/);
});

test('a flow that asks for what is not there says so in our words', () => {
  expect(told.refused.error).toBe('DbtCloudJobRunTriggerFailed: There is no such job.');
  expectNoErrors(system);
});

test('the hook that is shown makes one run of a deployment for each run that succeeded', async () => {
  const { id: flowId } = await prefect.call('/flows/', { name: 'after-dbt' });
  const { id: deploymentId } = await prefect.call('/deployments/', { name: 'after-dbt', flow_id: flowId });
  await expectStatus(
    201,
    system.call('POST', '/api/v1/orchestration/secrets', { name: 'prefect_key', value: 'pnu_of_a_test' }),
  );
  const { project } = system;
  const hook = await runShown(
    system,
    filledIn(shownCall('/create_flow_run'), {
      'https://prefect.example.com/api': prefect.api,
      your_deployment_id: deploymentId,
      your_job_id: project.jobId,
    }),
  );
  const runId = await trigger(system, project);
  expect((await ended(system, runId)).status).toBe('success');

  const deliveries = `/api/v1/hooks/${hook.id}/deliveries`;
  const [delivery] = await until(
    'the hook has been sent',
    async () => (await expectStatus(200, system.call('GET', deliveries))).body.data,
    ([found]) => found !== undefined && !['pending', 'sending'].includes(found.state),
  );
  expect(delivery).toMatchObject({ run_id: runId, state: 'delivered', tries: [{ status_code: 201 }] });
  const flowRuns = await prefect.call('/flow_runs/filter', { deployments: { id: { any_: [deploymentId] } } });
  expect(flowRuns).toMatchObject([
    { name: 'after scheduled-run', parameters: { dbt_run_id: runId }, idempotency_key: runId },
  ]);
});
