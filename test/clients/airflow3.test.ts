import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { expectStatus } from '../support/project.ts';
import { until } from '../support/until.ts';
import { changeJob, runAndTell } from '../support/webhooks.ts';
import { dagsThatWait, makeShownHook, shownWebhook, exampleDag } from './airflow-conformance.ts';
import { startAirflow, type Airflow } from './airflow.ts';
import { startClientSystem, type ClientSystem } from './client-system.ts';
import { shownIn } from '../support/pages.ts';

let system: ClientSystem;

beforeAll(async () => {
  system = await startClientSystem({ DCTL_CANCEL_GRACE_SECONDS: '1' });
}, 300_000);
afterAll(() => system.stop());

describe('a webhook and a hook to a whole Airflow 3', () => {
  let airflow: Airflow;

  beforeAll(async () => {
    airflow = await startAirflow(3, { dags: { 'after_dbt_run.py': exampleDag('airflow3_after_dbt_run') } });
    await airflow.knows('after_dbt_run');
    const changed = await changeJob(system, system.project, shownWebhook(3, airflow));
    expect(changed.status).toBe(200);
    await makeShownHook(3, system, airflow, system.project.jobId);
  }, 300_000);
  afterAll(() => airflow.stop());

  test('fetch their tokens, and the DAG goes on after a run that succeeded and is red after one that failed', async () => {
    const good = await runAndTell(system, system.project);
    const bad = await runAndTell(system, system.project, { command_override: 'dbt run-operation missing' });
    expect([good.delivery.state, bad.delivery.state]).toEqual(['delivered', 'delivered']);
    const ends = [good, bad].map(({ run }) => airflow.waitForDagRun('after_dbt_run', `dctl__${run.id}`));
    expect(await Promise.all(ends)).toEqual(['success', 'failed']);
    const log = await airflow.taskLog('after_dbt_run', `dctl__${bad.run.id}`, 'check_dbt_run');
    expect(log).toContain(`dbt run ${bad.run.id} ended as failed:`);

    const again = await expectStatus(
      202,
      system.call('POST', `/api/v1/deliveries/${good.delivery.id}/send-again`),
    );
    const sent = await until(
      'it has been sent again',
      async () => (await system.call('GET', `/api/v1/deliveries/${again.body.id}`)).body,
      ({ state }) => !['pending', 'sending'].includes(state),
    );
    expect(sent).toMatchObject({ state: 'delivered', tries: [{ status_code: 409 }] });

    // The hook is for runs that succeeded.
    const dagRuns = await until(
      'the hook has started the DAG',
      () => airflow.dagRuns('after_dbt_run'),
      (found) => found.some((each) => each.dag_run_id === `after__${good.run.id}`),
    );
    expect(dagRuns.map((each) => each.dag_run_id).toSorted()).toEqual(
      [`after__${good.run.id}`, `dctl__${good.run.id}`, `dctl__${bad.run.id}`].toSorted(),
    );
    expect(await airflow.waitForDagRun('after_dbt_run', `after__${good.run.id}`)).toBe('success');
  }, 240_000);
});

test('what is shown of DAGs stands in the examples', () => {
  const examples = ['dbt_cloud', 'dbt_run', 'after_dbt_run'].map((name) =>
    readFileSync(join('examples', 'airflow', `airflow3_${name}.py`), 'utf8'),
  );
  const shown = shownIn('docs/integrations/airflow.md', 'python');
  expect(shown).toHaveLength(3);
  for (const text of shown) expect(examples.find((example) => example.includes(text))).toBeDefined();
});

describe('in Airflow 3', () => {
  dagsThatWait(3, () => system);
});
