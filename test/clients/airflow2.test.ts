import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { expectStatus } from '../support/project.ts';
import { until } from '../support/until.ts';
import { changeJob, createWebhookJob, deliveriesOf, runAndTell } from '../support/webhooks.ts';
import { dagsThatWait, makeShownHook, shownWebhook, exampleDag, testDag } from './airflow-conformance.ts';
import { startAirflow, type Airflow } from './airflow.ts';
import { startClientSystem, type ClientSystem } from './client-system.ts';

let system: ClientSystem;

beforeAll(async () => {
  system = await startClientSystem({ DCTL_CANCEL_GRACE_SECONDS: '1' });
}, 300_000);
afterAll(() => system.stop());

describe('on a whole Airflow 2, DAGs that were written for dagctl', () => {
  let airflow: Airflow;

  beforeAll(async () => {
    const { projectId, jobId } = system.project;
    const written = (name: string) =>
      testDag(name).replace('your_project_id', projectId).replace('your_job_id', jobId);
    const names = ['dagctl_dbt_run', 'downstream_pipeline', 'trigger_dagctl'];
    airflow = await startAirflow(2, {
      dags: {
        ...Object.fromEntries(names.map((name) => [`${name}.py`, written(name)])),
        'after_dbt_run.py': exampleDag('airflow2_after_dbt_run'),
      },
      connections: {
        dagctl_api: {
          conn_type: 'http',
          host: system.tlsUrl,
          extra: { Authorization: `Bearer ${system.token}`, 'X-Organization-ID': system.organizationId },
        },
      },
      certificates: system.certificates,
    });
    await airflow.knows('downstream_pipeline');
  }, 300_000);
  afterAll(() => airflow.stop());

  test('work as they are: one waits for its run, the other is told of its end in the DAG downstream', async () => {
    const { login, url } = airflow;
    const basic = Buffer.from(`${login.username}:${login.password}`).toString('base64');
    const changed = await changeJob(system, system.project, {
      webhook_enabled: true,
      webhook_url: `${url}/api/v1/dags/downstream_pipeline/dagRuns`,
      webhook_headers: { Authorization: `Basic ${basic}` },
      webhook_events: ['completed', 'failed'],
    });
    expect(changed.status).toBe(200);

    const dags = ['dagctl_dbt_run', 'trigger_dagctl'];
    const runs = await Promise.all(dags.map((dag) => airflow.triggerDag(dag)));
    for (const [index, dag] of dags.entries())
      expect([dag, await airflow.waitForDagRun(dag, runs[index]!)]).toEqual([dag, 'success']);
    const told = await downstreamRuns(2);
    expect(told.map(({ state, conf }) => [state, conf['event'], conf['job_run'].command_override])).toEqual([
      ['success', 'job.completed', 'dbt build --select my_model+'],
      ['success', 'job.completed', 'dbt build'],
    ]);
    const log = await airflow.taskLog('downstream_pipeline', told[0]!.dag_run_id, 'check_dagctl_result');
    expect(log).toMatch(/dagctl run for jaffle_shop completed in [\d.]+s/);
  }, 240_000);

  test('start no second DAG run downstream when a delivery is sent again', async () => {
    const [delivery] = await deliveriesOf(system, system.project);
    const again = await expectStatus(
      202,
      system.call('POST', `/api/v1/deliveries/${delivery.id}/send-again`),
    );
    const sent = await until(
      'it has been sent again',
      async () => (await system.call('GET', `/api/v1/deliveries/${again.body.id}`)).body,
      ({ state }) => !['pending', 'sending'].includes(state),
    );
    expect(sent).toMatchObject({ state: 'delivered', tries: [{ status_code: 409 }] });
    expect(await airflow.dagRuns('downstream_pipeline')).toHaveLength(2);
  });

  test('and the documented webhook starts the example, as the documented hook does', async () => {
    await airflow.knows('after_dbt_run');
    const job = await createWebhookJob(system, system.project, airflow.url, {
      command: 'dbt build',
      ...shownWebhook(2, airflow),
    });
    await makeShownHook(2, system, airflow, job.jobId);
    const { run } = await runAndTell(system, job);
    for (const dagRun of [`dctl__${run.id}`, `after__${run.id}`])
      expect([dagRun, await dagRunMade(dagRun)]).toEqual([dagRun, 'success']);
  });

  /** A hook is sent for itself, so its DAG run may come after the webhook's. */
  async function dagRunMade(dagRunId: string): Promise<string> {
    await until(
      `there is a DAG run ${dagRunId}`,
      () => airflow.dagRuns('after_dbt_run'),
      (found) => found.some((each) => each.dag_run_id === dagRunId),
    );
    return airflow.waitForDagRun('after_dbt_run', dagRunId);
  }

  /** Those with the selector first. */
  async function downstreamRuns(count: number) {
    const runs = await until(
      `${count} DAG runs downstream have ended`,
      () => airflow.dagRuns('downstream_pipeline'),
      (found) => found.length === count && found.every(({ state }) => ['success', 'failed'].includes(state)),
    );
    return runs.toSorted(
      (one, other) =>
        other.conf['job_run'].command_override.length - one.conf['job_run'].command_override.length,
    );
  }
});

describe('in Airflow 2', () => {
  dagsThatWait(2, () => system);
});
