import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runDags } from '../clients/airflow-dags.ts';
import { startClientSystem, type ClientSystem } from '../clients/client-system.ts';
import { filledIn, runShown, shownIn, theBlock } from '../support/pages.ts';

let system: ClientSystem;

beforeAll(async () => {
  system = await startClientSystem();
}, 300_000);
afterAll(() => system.stop());

test('the call that triggers a run does, with what npm start leaves in .dctl/env', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-readme-'));
  try {
    const { projectId, jobId } = system.project;
    const ids = { DAGCTL_URL: system.url, DAGCTL_TOKEN: system.token, ORG_ID: system.organizationId };
    const environment = Object.entries({ ...ids, PROJECT_ID: projectId, JOB_ID: jobId });
    await mkdir(join(folder, '.dctl'));
    await writeFile(join(folder, '.dctl/env'), environment.map((entry) => entry.join('=')).join('\n'));
    const { stdout } = await promisify(execFile)('sh', ['-c', theBlock('README.md', 'sh', '/trigger"')], {
      cwd: folder,
    });
    const answer = JSON.parse(stdout);
    const example = JSON.parse(theBlock('README.md', 'json', 'job_run_id'));
    expect(Object.keys(answer)).toEqual(Object.keys(example));
    expect(answer).toMatchObject({ message: example.message, job_id: jobId });
    const { body: run } = await system.call('GET', `/api/v1/runs/${answer.job_run_id}`);
    expect(run).toMatchObject({
      command_override: 'dbt build --select customers+',
      cause: 'new orders came in',
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the call that the page on the API begins with is answered with a list', async () => {
  const [call] = shownIn('docs/api.md', 'sh');
  expect(await runShown(system, call!)).toEqual({ data: [], next_cursor: null });
});

test.each([2, 3] as const)(
  'the DAG runs dbt and is green, in Airflow %i',
  async (major) => {
    const { projectId, jobId } = system.project;
    const dag = filledIn(theBlock('README.md', 'python', 'HttpSensor'), {
      your_project_id: projectId,
      your_job_id: jobId,
    });
    const [, host = '', extra = ''] =
      /--conn-host (\S+) .*--conn-extra '(.+)'/s.exec(
        theBlock('README.md', 'sh', 'airflow connections add dctl_api'),
      ) ?? [];
    const { dags, log } = await runDags(major, ['dbt'], {
      dags: { 'dbt.py': dag },
      connections: {
        dctl_api: {
          conn_type: 'http',
          host: filledIn(host, { 'http://dctl.example.com:3000': system.url }),
          extra: JSON.parse(filledIn(extra, { 'dctl_...': system.token })),
        },
      },
    });
    if (dags['dbt']?.state !== 'success') throw new Error(log);
    const runId = dags['dbt'].tasks['trigger']!.returned;
    const { body: run } = await system.call('GET', `/api/v1/runs/${runId}`);
    expect(run).toMatchObject({ status: 'success', command_override: 'dbt build' });
  },
  200_000,
);
