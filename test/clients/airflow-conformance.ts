import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { expectStatus } from '../support/project.ts';
import { until } from '../support/until.ts';
import { filledIn, runShown, shownCall, shownIn } from '../support/pages.ts';
import type { Airflow } from './airflow.ts';
import { runDags, type EndedDag } from './airflow-dags.ts';
import type { AirflowMajor } from './airflow-home.ts';
import { createJobs, type ClientSystem } from './client-system.ts';

const page = 'docs/integrations/airflow.md';
/** The DAGs of dags/provider.py. */
const ofProvider = ['provider', 'reused', 'killed'];

/** Connection id -> what it holds: as the page shows them, with this system's address, number and token. */
export function airflowConnections({ tlsUrl, accountId, token }: ClientSystem): Record<string, object> {
  const text = filledIn(shownIn(page, 'sh').join(''), {
    'dctl.example.com': new URL(tlsUrl).host,
    '"login": "1"': `"login": "${accountId}"`,
    'dctl_...': token,
  });
  const connections = [...text.matchAll(/^AIRFLOW_CONN_(\w+)='(.+)'$/gm)];
  return Object.fromEntries(
    connections.map(([, id = '', held = '']) => [id.toLowerCase(), JSON.parse(held)]),
  );
}

/** The webhook that the page sets for that version, with this Airflow's address and login. */
export function shownWebhook(major: AirflowMajor, { url, login }: Airflow): Record<string, unknown> {
  const { username, password } = login;
  const block = shownIn(page, 'sh').find((text) => text.includes(`/api/v${major - 1}/dags/`));
  const text = filledIn(block, {
    'https://airflow.example.com': url,
    ...(major === 2
      ? { 'dXNlcjpwYXNzd29yZA==': Buffer.from(`${username}:${password}`).toString('base64') }
      : { '"dctl"': JSON.stringify(username), '"..."': JSON.stringify(password) }),
  });
  return JSON.parse(/-d '(.+)'/s.exec(text)?.[1] ?? '');
}

/**
 * Makes the hook that the page on orchestration shows for that version, for runs of one job. Each of those that succeed
 * makes a DAG run `after__<run's id>`.
 */
export async function makeShownHook(
  major: AirflowMajor,
  system: ClientSystem,
  { url, login }: Airflow,
  jobId: string,
): Promise<void> {
  const { username, password } = login;
  const shown = filledIn(shownCall(`https://airflow.example.com/api/v${major - 1}/dags/`), {
    'https://airflow.example.com': url,
    your_job_id: jobId,
    ...(major === 3 && { '"dctl"': JSON.stringify(username), '"..."': JSON.stringify(password) }),
  });
  if (major === 2) {
    const value = Buffer.from(`${username}:${password}`).toString('base64');
    await expectStatus(
      201,
      system.call('POST', '/api/v1/orchestration/secrets', { name: 'airflow_login', value }),
    );
  }
  const { id } = await runShown(system, shown);
  if (id === undefined) throw new Error('the hook was not made');
}

export function exampleDag(name: string): string {
  const text = readFileSync(join(process.cwd(), 'examples', 'airflow', `${name}.py`), 'utf8');
  // Nothing here takes as long as people's runs do.
  return text.replace(/\b(poke_interval|check_interval|seconds)=\d+/g, '$1=1');
}

export function testDag(name: string): string {
  return readFileSync(join(import.meta.dirname, 'dags', `${name}.py`), 'utf8');
}

/** What DAGs that wait do, in the Airflow of that version: all of them in one process, without a scheduler. */
export function dagsThatWait(major: AirflowMajor, open: () => ClientSystem): void {
  let system: ClientSystem;
  let ended: Awaited<ReturnType<typeof runDags>>;
  let provider: EndedDag['tasks'];
  let jobs: Record<string, number>;

  beforeAll(async () => {
    system = open();
    jobs = await createJobs(system, {
      short: waiting(3),
      long: waiting(61),
      longer: waiting(62),
      late: 'dbt build --target kept',
    });
    const http = exampleDag(`airflow${major}_dbt_run`);
    const failing = http
      .replace('"dctl_dbt_run"', '"failing_dbt_run"')
      .replace('"command_override": "dbt build"', '"command_override": "dbt run-operation missing"');
    const examples = ['dctl_dbt_run', 'failing_dbt_run', 'dctl_dbt_cloud'];
    const running = runDags(major, [...examples, ...ofProvider], {
      dags: {
        'dctl_dbt_run.py': http,
        'failing_dbt_run.py': failing,
        'dctl_dbt_cloud.py': exampleDag(`airflow${major}_dbt_cloud`),
        'provider.py': testDag('provider'),
      },
      connections: airflowConnections(system),
      variables: { dctl_project_id: system.project.projectId, dctl_job_id: system.project.jobId },
      env: { JOBS: JSON.stringify(jobs) },
      certificates: system.certificates,
      timeoutMs: 240_000,
    });
    const watched = new AbortController();
    const cancelling = cancelWhenRunning('long', watched.signal);
    ended = await running.finally(() => watched.abort());
    await cancelling;
    provider = Object.assign({}, ...ofProvider.map((dag) => ended.dags[dag]?.tasks));
  }, 300_000);

  test('the HTTP example starts a run, waits for it, and is green when that succeeded', async () => {
    const { state, tasks } = ended.dags['dctl_dbt_run']!;
    expect([state, tasks['wait_for_dbt_run']?.state]).toEqual(['success', 'success']);
    const run = await system.call('GET', `/api/v1/runs/${tasks['trigger_dbt_run']?.returned}`);
    expect(run.body).toMatchObject({
      status: 'success',
      command_override: 'dbt build',
      cause: expect.stringMatching(/^dctl_dbt_run\/manual__/),
    });
  });

  test('it is red, after one try, when the run failed', () => {
    expect(ended.dags['failing_dbt_run']).toMatchObject({
      state: 'failed',
      tasks: { trigger_dbt_run: { state: 'success' }, wait_for_dbt_run: { state: 'failed', tries: 1 } },
    });
    expect(ended.log).toMatch(/dbt run \S+ ended as failed: \S/);
  });

  test('the example with the dbt Cloud provider finds the job by its names, defers, and reads the results', async () => {
    const { state, tasks } = ended.dags['dctl_dbt_cloud']!;
    // The model, and the hook at the run's end.
    expect([state, tasks['count_results']?.returned]).toEqual(['success', { success: 2 }]);
    expect(await runOf(tasks['run_dbt_job'])).toMatchObject({
      status_humanized: 'Success',
      trigger: { cause: "Triggered via Apache Airflow by task 'run_dbt_job' in the dctl_dbt_cloud DAG." },
    });
  });

  test('its connection is tested, and its jobs are listed', () => {
    expect(provider).toMatchObject({ connects: { state: 'success' }, list_jobs: { state: 'success' } });
    expect(provider['list_jobs']?.returned).toEqual(Object.values(jobs).toSorted((a, b) => b - a));
  });

  test("its steps_override takes the place of the job's commands, each with its artifacts", async () => {
    const { id, run_steps: steps } = await runOf(provider['overridden']);
    expect(steps.map(({ name }: { name: string }) => name).slice(3)).toEqual([
      'Invoke dbt with `dbt compile`',
      'Invoke dbt with `dbt run --select my_model`',
    ]);
    expect(provider['commands']?.returned).toEqual(['compile', 'run']);
    expect(provider['manifest']).toMatchObject({ state: 'success', returned: `${id}_manifest.json` });
  });

  test('it reuses a run that is still going, and its sensor waits for that, deferred or not', () => {
    const green = { state: 'success' };
    expect(provider).toMatchObject({ begun: green, again: green, sensed: green, sensed_deferred: green });
    expect(provider['again']?.returned).toBe(provider['begun']?.returned);
  });

  test('its retry from failure runs what had failed, and only that', async () => {
    expect(provider['retried']).toMatchObject({ state: 'success', tries: 2 });
    const [retry, first] = await runsOf('late');
    expect(retry).toMatchObject({ status: 'success', triggered_by: 'retry', retry_of: first.id });
    expect(first).toMatchObject({ status: 'partial', triggered_by: 'api' });
    expect([await modelsOf(first.id), await modelsOf(retry.id)]).toEqual([
      ['model.clients.late', 'model.clients.my_model'],
      ['model.clients.late'],
    ]);
  });

  test('it is red when somebody cancels the run, and a task that is killed cancels its run', async () => {
    expect(provider).toMatchObject({ cancelled: { state: 'failed' }, killed: { state: 'failed' } });
    expect(ended.log).toContain('reached terminal status CANCELLED');
    for (const job of ['long', 'longer'])
      expect(await runsOf(job)).toMatchObject([{ status: 'error', status_reason: 'cancelled' }]);
    expect(ended.dags['provider']?.state).toBe('failed');
  });

  async function runOf(task: EndedDag['tasks'][string] | undefined) {
    const path = `/api/v2/accounts/${system.accountId}/runs/${task?.returned}/`;
    const related = 'include_related=run_steps&include_related=trigger';
    return (await expectStatus(200, system.call('GET', `${path}?${related}`))).body.data;
  }

  /** Newest first. */
  async function runsOf(name: string): Promise<any[]> {
    const { projectId } = system.project;
    const jobs = await expectStatus(200, system.call('GET', `/api/v1/projects/${projectId}/jobs?limit=100`));
    const { id } = jobs.body.data.find((job: { name: string }) => job.name === name);
    return (await expectStatus(200, system.call('GET', `/api/v1/runs?job_id=${id}`))).body.data;
  }

  async function modelsOf(runId: string): Promise<string[]> {
    const { body } = await expectStatus(200, system.call('GET', `/api/v1/runs/${runId}/nodes`));
    const ids: string[] = body.data.map((node: { unique_id: string }) => node.unique_id);
    return ids.filter((id) => id.startsWith('model.')).toSorted();
  }

  async function cancelWhenRunning(name: string, signal: AbortSignal): Promise<void> {
    const [run] = await until(
      `a run of ${name} is under way`,
      () => runsOf(name),
      ([found]) => signal.aborted || found?.status === 'running',
      240_000,
    );
    if (run !== undefined) await system.call('POST', `/api/v1/runs/${run.id}/cancel`);
  }
}

function waiting(seconds: number): string {
  return `dbt run-operation wait --args '{"seconds": ${seconds}}'`;
}
